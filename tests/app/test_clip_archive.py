"""Clip archives: complete or absent, and deleted when they are replaced or too old."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

import pytest

from pesearch.app import clip_archive, storage_folders
from pesearch.app.clip_archive import MAX_AGE_SECONDS, archive_path, create_archive, delete_archive
from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection
from pesearch.store.derived.lru_folder import CLIPS_FOLDER


@pytest.fixture
def selections(sample_media: Path, tmp_path: Path) -> list[Selection]:
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"not a film")
    return [
        Selection(sample_media / "bell.mp4", 1.0, 2.0),
        Selection(junk, 0.0, 1.0),
        Selection(tmp_path / "missing.mp4", 0.0, 1.0),
        Selection(sample_media / "siren_alone.wav", 1.0, 3.0),
    ]


def test_clips_are_archived_and_failures_reported(selections: list[Selection], tmp_path: Path) -> None:
    fractions: list[float] = []
    archive = create_archive(selections, True, tmp_path, fractions.append)
    assert [failure.selection.path.name for failure in archive.not_cut] == ["junk.mp4", "missing.mp4"]
    assert fractions == [0.25, 0.5, 0.75, 1.0]
    path = archive_path(archive.name, tmp_path)
    assert path is not None
    with zipfile.ZipFile(path) as kept:
        assert kept.testzip() is None
        assert [name.split("_")[0] for name in kept.namelist()] == ["bell", "siren"]
    assert list(path.parent.iterdir()) == [path]


def test_there_is_no_archive_when_nothing_can_be_cut(selections: list[Selection], tmp_path: Path) -> None:
    archive = create_archive(selections[1:3], False, tmp_path, lambda _: None)
    assert (archive.name, len(archive.not_cut)) == ("", 2)
    assert archive_path(archive.name, tmp_path) is None
    assert not list((tmp_path / CLIPS_FOLDER).iterdir())


def test_an_interrupted_archive_leaves_no_files(selections: list[Selection], tmp_path: Path) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create_archive(selections, False, tmp_path, interrupt)
    assert not list((tmp_path / CLIPS_FOLDER).iterdir())


def test_old_archives_are_deleted_with_the_next(selections: list[Selection], tmp_path: Path) -> None:
    first = create_archive(selections[:1], False, tmp_path, lambda _: None)
    second = create_archive(selections[:1], False, tmp_path, lambda _: None)
    old = archive_path(first.name, tmp_path)
    assert old is not None
    os.utime(old, times=(time.time() - MAX_AGE_SECONDS - 60,) * 2)
    third = create_archive(selections[:1], False, tmp_path, lambda _: None)
    assert archive_path(first.name, tmp_path) is None
    delete_archive(third.name, tmp_path)
    assert {path.stem for path in (tmp_path / CLIPS_FOLDER).iterdir()} == {second.name}


def test_the_archives_of_a_library_need_limited_room(
    selections: list[Selection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive of the clip takes about 80 kB."""
    monkeypatch.setattr(storage_folders, "MAX_CLIPS_BYTES", 200_000)
    names = [create_archive(selections[:1], False, tmp_path, lambda _: None).name for _ in range(4)]
    assert archive_path(names[0], tmp_path) is None
    assert archive_path(names[-1], tmp_path) is not None
    assert 0 < sum(path.stat().st_size for path in (tmp_path / CLIPS_FOLDER).iterdir()) <= 200_000
    monkeypatch.setattr(clip_archive, "MAX_ARCHIVE_BYTES", 1000)
    with pytest.raises(ExportError, match="choose fewer"):
        create_archive(selections[:1], False, tmp_path, lambda _: None)
    assert all(path.suffix == ".zip" for path in (tmp_path / CLIPS_FOLDER).iterdir())


def test_an_unwritable_folder_raises_one_line(selections: list[Selection], tmp_path: Path) -> None:
    (tmp_path / CLIPS_FOLDER).write_text("a file where the folder would be")
    with pytest.raises(ExportError, match="clips cannot be written: "):
        create_archive(selections, False, tmp_path, lambda _: None)


@pytest.mark.parametrize("name", ["", "library", "../library", "a" * 31, "g" * 32, "a" * 32 + "/.."])
def test_other_names_have_no_archive(name: str, tmp_path: Path) -> None:
    (tmp_path / CLIPS_FOLDER).mkdir()
    (tmp_path / CLIPS_FOLDER / "library.zip").touch()
    (tmp_path / "library.zip").touch()
    assert archive_path(name, tmp_path) is None
