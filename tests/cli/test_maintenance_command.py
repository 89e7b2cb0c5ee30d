"""`pesearch remove` and `pesearch gc`."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from pesearch.store.library import Library, open_library
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow


@pytest.fixture
def library(sample_library: Library, tmp_path: Path) -> Library:
    """A copy of the sample library, to be changed."""
    return open_library(shutil.copytree(sample_library.folder, tmp_path / "library"))


def previews(library: Library) -> int:
    return len([*library.folder.glob("pictures/*/*.zip")])


def test_remove_drops_a_file_with_its_previews(pesearch: Run, library: Library, sample_media: Path) -> None:
    at = ("--library", library.folder)
    files_before, previews_before = len(library.files()), previews(library)
    removed = pesearch("remove", sample_media / "bell.mp4", *at)
    assert removed.returncode == 0, removed.stderr
    assert removed.stderr == "removed 1 path and the vectors of 1 file\n"
    assert previews(library) == previews_before - 1
    assert pesearch("gc", *at).returncode == 0
    status = json.loads(pesearch("status", *at, "--json").stdout)
    assert sum(status["files"].values()) == files_before - 1
    again = pesearch("remove", sample_media / "bell.mp4", *at)
    assert (again.returncode, again.stderr) == (1, "none of these paths is in the library\n")
    assert (sample_media / "bell.mp4").exists()


def test_remove_keeps_the_vectors_of_a_file_that_has_another_copy(
    pesearch: Run, library: Library, sample_media: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copies" / "bell.mp4"
    copy.parent.mkdir()
    shutil.copy(sample_media / "bell.mp4", copy)
    at = ("--library", library.folder)
    assert json.loads(pesearch("index", copy.parent, "--json", *at).stdout)["copies"] == 1
    files = len(library.files())
    removed = pesearch("remove", copy.parent, *at)
    assert removed.stderr == "removed 1 path and the vectors of 0 files\n"
    assert len(library.files()) == files
    assert copy not in library.known()
    assert sample_media / "bell.mp4" in library.known()


def test_a_folder_that_may_not_be_read_is_no_error_of_its_command(
    pesearch: Run, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked up in the library, or fails alone."""
    locked = tmp_path / "locked"
    locked.mkdir()
    monkeypatch.setattr(os, "access", lambda path, *_, **__: Path(path) != locked)
    removed = pesearch("remove", locked, "--library", library.folder)
    assert (removed.returncode, removed.stderr) == (1, "none of these paths is in the library\n")
    assert pesearch("index", locked, "--library", library.folder).returncode == 0
