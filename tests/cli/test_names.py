"""Hostile file names, and entries that are no files: from `index` to `remove`."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pesearch.store.library import open_library
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

NAMES = [
    b"new\nline.png",
    b"quote\"s 'and' $(touch x) `y`.png",
    b"no utf-8 \xff\xfe.png",
    b"-rf.png",
    b"--library.png",
    b"%s %03d \\n {}.png",
    b"\xe2\x80\xae\x1b[31mred.png",
    b"x" * 251 + b".png",
]
BROKEN = b"bro\nken \xff.mp4"


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """An image under each of NAMES, a file that fails, and a pipe, a socket and links in circles."""
    folder = tmp_path / os.fsdecode(b"-a folder\n\xff")
    folder.mkdir()
    random = np.random.default_rng(0)
    for name in NAMES:
        Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / os.fsdecode(name))
    (folder / os.fsdecode(BROKEN)).touch()
    os.mkfifo(folder / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(folder / "socket.mp4"))
    (folder / "loop").symlink_to(folder)
    (folder / "self.mp4").symlink_to(folder / "self.mp4")
    (folder / "dangling.mp4").symlink_to(folder / "nothing")
    return folder


def test_hostile_names_from_index_to_remove(pesearch: Run, media: Path, tmp_path: Path) -> None:
    at = ("--library", tmp_path / "library")
    first = pesearch("index", media, "--model", "starter", "--json", *at)
    assert first.returncode == 3, first.stderr
    summary = json.loads(first.stdout)
    assert summary["indexed"] == len(NAMES)
    assert [file["path"].rpartition("/")[2] for file in summary["failed"]] == ["bro\\nken \\udcff.mp4"]
    assert "\x1b" not in first.stderr
    failures = [line for line in first.stderr.splitlines() if line.startswith("failed: ")]
    assert len(failures) == 2  # at once and in the summary; links that lead nowhere are left out

    again = json.loads(pesearch("index", media, "--json", *at).stdout)
    assert (again["unchanged"], again["failed_before"], again["indexed"]) == (len(NAMES), 1, 0)

    path = media / os.fsdecode(NAMES[0])
    found = json.loads(pesearch("query", "--image", path, "--in", path, "--json", *at).stdout)
    assert [moment["path"] for moment in found["moments"]] == [str(path)]
    everything = json.loads(pesearch("query", "--image", media / "-rf.png", "-k", "99", "--json", *at).stdout)
    assert {os.fsencode(Path(moment["path"]).name) for moment in everything["moments"]} == set(NAMES)

    status = pesearch("status", *at)
    assert status.returncode == 0, status.stderr
    (failed,) = [line for line in status.stdout.splitlines() if "bro" in line]
    assert failed.startswith("  ") and "empty file" in failed
    assert f"{len(NAMES)} image" in status.stdout

    removed = pesearch("remove", *at, "--", *(media / os.fsdecode(name) for name in NAMES[1:]))
    assert removed.returncode == 0, removed.stderr
    left = open_library(tmp_path / "library")
    assert [file.path for file in left.files()] == [media / os.fsdecode(NAMES[0])]
    assert [failure.location.path for failure in left.failures()] == [media / os.fsdecode(BROKEN)]
    assert {os.fsencode(path.name) for path in media.glob("*.png")} == set(NAMES)  # the media files stay
