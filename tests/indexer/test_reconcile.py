"""Files that are moved, copied, changed or offline: only changed content is embedded again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer import absences
from pesearch.indexer.progress_events import Missing, Plan, Relocated, Replaced
from pesearch.store.library import Library, create_library
from pesearch.types import SpaceName
from tests.indexer.runs import location_counts, names_by_kind, of, row_counts, run
from tests.indexer.trees import public_folder, without_rights

Sample = Callable[[str], Path]


def stills(folder: Path, sample: Sample, *names: str) -> Path:
    """Still images of different content: cheap to embed."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        (folder / name).write_bytes(sample("cover.png").read_bytes() + bytes([number]))
    return folder


def test_a_moved_file_is_not_embedded_again(tmp_path: Path, sample: Sample, library: Library, models: ModelSet) -> None:
    media = stills(tmp_path / "media", sample, "a.png", "b.png")
    run(media, library, models)
    before = {file.fingerprint: file.id for file in library.files()}
    (media / "new").mkdir()
    (media / "a.png").rename(media / "new" / "c.png")
    outcomes = run(media, library, models)
    assert of(Relocated, outcomes)[0].previous == media / "a.png"
    assert names_by_kind(outcomes) == {"Relocated": ["c.png"], "Unchanged": ["b.png"]}
    assert of(Plan, outcomes) == [Plan(0, 0.0)]
    assert {file.fingerprint: file.id for file in library.files()} == before
    assert location_counts(library) == {"b.png": 1, "c.png": 1}


@pytest.mark.parametrize("same_time", [False, True])
def test_files_that_swap_their_names_were_moved(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, same_time: bool
) -> None:
    """Neither is a copy, whether the swap is noticed by time or by inode."""
    media = stills(tmp_path / "media", sample, "a.png", "b.png")
    for number, name in enumerate(("a.png", "b.png")):
        os.utime(media / name, ns=(5, 5 + (0 if same_time else number)))
    run(media, library, models)
    first, second = media / "a.png", media / "b.png"
    first.rename(media / "c.png")
    second.rename(first)
    (media / "c.png").rename(second)
    outcomes = run(media, library, models)
    moved = [(each.previous, each.location.path) for each in of(Relocated, outcomes)]
    assert sorted(moved, key=str) == [(first, second), (second, first)]
    assert {each.path for each in of(Replaced, outcomes)} == ({first, second} if same_time else set())
    assert of(Plan, outcomes) == [Plan(0, 0.0)]
    shutil.copy(first, media / "copy.png")
    assert [each.previous for each in of(Relocated, run(media, library, models))] == [None]


def test_a_file_whose_name_other_content_takes_was_moved(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet
) -> None:
    media = stills(tmp_path / "media", sample, "a.png")
    run(media, library, models)
    (media / "a.png").rename(media / "b.png")
    (media / "a.png").write_bytes(sample("cover.png").read_bytes() + b"new")
    outcomes = run(media, library, models)
    assert [(each.previous, each.location.path.name) for each in of(Relocated, outcomes)] == [
        (media / "a.png", "b.png")
    ]
    assert names_by_kind(outcomes)["Indexed"] == ["a.png"]


def test_files_of_a_renamed_folder_are_relocated(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet
) -> None:
    media = stills(tmp_path / "media" / "old", sample, "a.png", "b.png").parent
    run(media, library, models)
    (media / "old").rename(media / "new")
    outcomes = run(media, library, models)
    assert {(each.previous, each.location.path) for each in of(Relocated, outcomes)} == {
        (media / "old" / name, media / "new" / name) for name in ("a.png", "b.png")
    }
    assert names_by_kind(run(media, library, models)) == {"Unchanged": ["a.png", "b.png"]}


def test_copies_are_embedded_once(tmp_path: Path, sample: Sample, library: Library, models: ModelSet) -> None:
    media = stills(tmp_path / "media", sample, "a.png")
    shutil.copy(media / "a.png", media / "b.png")
    outcomes = run(media, library, models)
    assert names_by_kind(outcomes) == {"Indexed": ["a.png"], "Relocated": ["b.png"]}
    shutil.copy(media / "a.png", media / "c.png")
    outcomes = run(media, library, models)
    assert names_by_kind(outcomes) == {"Unchanged": ["a.png", "b.png"], "Relocated": ["c.png"]}
    assert of(Relocated, outcomes)[0].previous is None
    assert location_counts(library) == {"a.png": 1, "b.png": 1, "c.png": 1}
    assert row_counts(library) == {"a.png": {SpaceName.FRAME: 1}}


def test_a_changed_file_is_embedded_again(tmp_path: Path, sample: Sample, library: Library, models: ModelSet) -> None:
    media = stills(tmp_path / "media", sample, "a.png", "b.png")
    run(media, library, models)
    (old,) = (file for file in library.files() if file.path.name == "a.png")
    (media / "a.png").write_bytes(sample("cover.png").read_bytes() + b"other")
    assert names_by_kind(run(media, library, models)) == {"Indexed": ["a.png"], "Unchanged": ["b.png"]}
    assert location_counts(library) == {"a.png": 1, "b.png": 1}
    assert library.find(old.fingerprint) is None
    assert row_counts(library) == {"a.png": {SpaceName.FRAME: 1}, "b.png": {SpaceName.FRAME: 1}}


def test_a_touched_file_is_unchanged(tmp_path: Path, sample: Sample, library: Library, models: ModelSet) -> None:
    media = stills(tmp_path / "media", sample, "a.png")
    run(media, library, models)
    os.utime(media / "a.png", ns=(1, 1))
    outcomes = run(media, library, models)
    assert names_by_kind(outcomes) == {"Unchanged": ["a.png"]}
    assert of(Plan, outcomes) == [Plan(0, 0.0)]
    assert library.known()[media / "a.png"].modified_ns == 1


def test_a_moved_file_whose_path_is_taken_by_another_is_kept(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet
) -> None:
    """The old path fails, or gets other content: the moved content stays in the library."""
    media = stills(tmp_path / "media", sample, "a.png", "b.png")
    run(media, library, models)
    before = {file.fingerprint: file.id for file in library.files()}
    (media / "a.png").rename(media / "moved_a.png")
    (media / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (media / "b.png").rename(media / "moved_b.png")
    (media / "b.png").write_bytes(sample("cover.png").read_bytes() + b"new")
    outcomes = run(media, library, models)
    assert names_by_kind(outcomes) == {
        "Relocated": ["moved_a.png", "moved_b.png"],
        "Failed": ["a.png"],
        "Indexed": ["b.png"],
    }
    assert before.items() <= {file.fingerprint: file.id for file in library.files()}.items()


def test_a_vanished_file_stays_in_the_library(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet
) -> None:
    media = stills(tmp_path / "media", sample, "a.png", "b.png")
    run(media, library, models)
    (media / "a.png").rename(tmp_path / "offline.png")
    outcomes = run(media, library, models)
    assert of(Missing, outcomes) == [Missing(media / "a.png")]
    assert len(library.files()) == 2
    (tmp_path / "offline.png").rename(media / "a.png")
    assert names_by_kind(run(media, library, models)) == {"Unchanged": ["a.png", "b.png"]}


def test_a_removed_copy_is_forgotten(tmp_path: Path, sample: Sample, library: Library, models: ModelSet) -> None:
    media = stills(tmp_path / "media", sample, "a.png")
    shutil.copy(media / "a.png", media / "b.png")
    run(media, library, models)
    (media / "a.png").unlink()
    assert names_by_kind(run(media, library, models)) == {"Unchanged": ["b.png"]}
    assert location_counts(library) == {"b.png": 1}


def test_an_offline_drive_loses_nothing(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = stills(tmp_path / "drive", sample, "a.png", "b.png")
    shutil.copytree(drive, tmp_path / "copies on another drive")
    run(tmp_path, library, models)
    drive.rename(tmp_path / "unplugged")
    with monkeypatch.context() as patched:
        patched.setattr(absences, "mounted_volumes", dict)
        outcomes = run(drive, library, models)
    assert names_by_kind(outcomes) == {"Failed": ["drive"]}
    assert location_counts(library) == {"a.png": 2, "b.png": 2}
    assert library.failures() == []
    (tmp_path / "unplugged").rename(drive)
    assert names_by_kind(run(drive, library, models)) == {"Unchanged": ["a.png", "b.png"]}


def test_an_unreadable_folder_loses_nothing(sample: Sample, models: ModelSet) -> None:
    """It is reported as failed; its files are neither missing nor forgotten, and other files are surveyed."""
    with public_folder() as root:
        closed = stills(root / "media" / "closed", sample, "a.png", "b.png")
        stills(root / "media", sample, "c.png", "d.png")
        library = create_library(root / "library", models.name, models.spaces)
        run(root / "media", library, models)
        for path in (library.folder, *library.folder.rglob("*")):
            path.chmod(0o777)
        (root / "media" / "d.png").unlink()
        closed.chmod(0)
        with without_rights():
            assert names_by_kind(run(root / "media", library, models)) == {"Failed": ["closed"], "Unchanged": ["c.png"]}
        closed.chmod(0o755)
        assert names_by_kind(run(root / "media", library, models)) == {"Unchanged": ["a.png", "b.png", "c.png"]}
