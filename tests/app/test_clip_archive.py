"""The archive of the clips that were cut: on the disk, whole or not at all, and gone when nobody can ask for it."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

import pytest

from pesearch.app.clip_archive import KEPT_SECONDS, archive_path, forget, pack
from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection
from pesearch.store.derived.lru_folder import CLIPS_FOLDER


@pytest.fixture
def choices(sample_media: Path, tmp_path: Path) -> list[Selection]:
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"no film")
    return [
        Selection(sample_media / "bell.mp4", 1.0, 2.0),
        Selection(junk, 0.0, 1.0),
        Selection(tmp_path / "away.mp4", 0.0, 1.0),
        Selection(sample_media / "siren_alone.wav", 1.0, 3.0),
    ]


def test_what_can_be_cut_is_in_it_and_the_rest_is_told(choices: list[Selection], tmp_path: Path) -> None:
    told: list[float] = []
    archive = pack(choices, True, tmp_path, told.append)
    assert [each.selection.path.name for each in archive.not_cut] == ["junk.mp4", "away.mp4"]
    assert told == [0.25, 0.5, 0.75, 1.0]
    path = archive_path(archive.name, tmp_path)
    assert path is not None
    with zipfile.ZipFile(path) as kept:
        assert kept.testzip() is None
        assert [name.split("_")[0] for name in kept.namelist()] == ["bell", "siren"]
    assert list(path.parent.iterdir()) == [path]


def test_where_nothing_can_be_cut_there_is_none(choices: list[Selection], tmp_path: Path) -> None:
    archive = pack(choices[1:3], False, tmp_path, lambda _: None)
    assert (archive.name, len(archive.not_cut)) == ("", 2)
    assert archive_path(archive.name, tmp_path) is None
    assert not list((tmp_path / CLIPS_FOLDER).iterdir())


def test_one_that_is_interrupted_leaves_nothing(choices: list[Selection], tmp_path: Path) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(choices, False, tmp_path, interrupt)
    assert not list((tmp_path / CLIPS_FOLDER).iterdir())


def test_those_of_pages_that_were_left_go_with_the_next(choices: list[Selection], tmp_path: Path) -> None:
    first = pack(choices[:1], False, tmp_path, lambda _: None)
    second = pack(choices[:1], False, tmp_path, lambda _: None)
    left = archive_path(first.name, tmp_path)
    assert left is not None
    os.utime(left, times=(time.time() - KEPT_SECONDS - 60,) * 2)
    third = pack(choices[:1], False, tmp_path, lambda _: None)
    assert archive_path(first.name, tmp_path) is None
    forget(third.name, tmp_path)
    assert {path.stem for path in (tmp_path / CLIPS_FOLDER).iterdir()} == {second.name}


def test_a_folder_that_cannot_be_written_to_is_one_line(choices: list[Selection], tmp_path: Path) -> None:
    (tmp_path / CLIPS_FOLDER).write_text("a file where the folder would be")
    with pytest.raises(ExportError, match="clips cannot be written: "):
        pack(choices, False, tmp_path, lambda _: None)


@pytest.mark.parametrize("name", ["", "library", "../library", "a" * 31, "g" * 32, "a" * 32 + "/.."])
def test_no_other_name_is_one(name: str, tmp_path: Path) -> None:
    (tmp_path / CLIPS_FOLDER).mkdir()
    (tmp_path / CLIPS_FOLDER / "library.zip").touch()
    (tmp_path / "library.zip").touch()
    assert archive_path(name, tmp_path) is None
