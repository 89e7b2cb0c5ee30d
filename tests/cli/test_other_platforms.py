"""macOS and Windows, substituted: the first commands of a user end without a traceback, and say the right thing.

Nothing here runs on those systems: see `other_platform` for what is replaced.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pesearch.store.library import Library
from tests.cli.conftest import TIMEOUT_SECONDS

pytestmark = pytest.mark.slow

DATA_FOLDERS = {"darwin": "Library/Application Support", "win32": "AppData/Local"}
INSTALLERS = {"darwin": "brew install ffmpeg", "win32": "winget install Gyan.FFmpeg.Shared"}


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str
    traceback: str


def run_as(platform: str, home: Path, *commands: list[str]) -> list[Ended]:
    """Run commands one after the other in a new process that looks like one on another system, without FFmpeg."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "PESEARCH_"))}
    ended = subprocess.run(
        [sys.executable, "-m", "tests.cli.other_platform", platform, *map(json.dumps, commands)],
        env=kept | {"HOME": str(home), "HF_HOME": str(home / "models"), "HF_HUB_OFFLINE": "1", "PATH": str(home)},
        capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return [Ended(**json.loads(line)) for line in ended.stdout.splitlines()]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_the_first_commands_of_a_user(platform: str, tmp_path: Path, sample_library: Library) -> None:
    library = ["--library", str(sample_library.folder)]
    helped, checked, described, found, warm, elsewhere, on_apple = run_as(
        platform,
        tmp_path,
        ["--help"],
        ["doctor"],  # of a library it loads the models, and imports torch
        ["status", "--json", *library],
        ["query", "siren and train", "--json", *library],
        ["query", "siren", "--verbose", *library],
        ["status"],
        ["query", "siren", "--device", "mps", *library],
    )
    everything = (helped, checked, described, found, warm, elsewhere, on_apple)
    assert [each.traceback for each in everything] == [""] * len(everything)
    assert [each.stderr for each in everything if "unexpected" in each.stderr] == []
    assert helped.code == 0 and "Commands" in helped.stdout
    lines = checked.stdout.splitlines()
    assert (
        checked.code == 2 and f"{DATA_FOLDERS[platform]}/pesearch/library (`pesearch index PATH` creates" in lines[-1]
    )
    assert [INSTALLERS[platform] in line for line in lines if line.startswith("missing")] == [True]
    assert any(line.startswith("ok       device   cpu, float32") for line in lines)
    assert described.code == 0 and json.loads(described.stdout)["library"] == str(sample_library.folder)
    assert found.code == 0 and json.loads(found.stdout)["moments"][0]["path"].endswith("siren_train.mp4")
    assert warm.code == 0
    assert ("answers no queries of other processes" in warm.stderr) == (platform == "win32")
    assert elsewhere.code == 2 and f"{DATA_FOLDERS[platform]}/pesearch/library" in elsewhere.stderr.replace("\n", " ")
    assert on_apple.code == 2 and "No GPU of Apple Silicon is usable here: use `--device cpu`." in on_apple.stderr
