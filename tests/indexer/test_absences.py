"""Files that were deleted, or are excluded now, are not offline: they are named, and removed when asked for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import PesearchError
from pesearch.indexer import absences as recorder
from pesearch.indexer.absences import current_absences
from pesearch.indexer.progress_events import Excluded, Missing, Restored
from pesearch.indexer.removal import plan_removal
from pesearch.indexer.run import index
from pesearch.locations import Absence
from pesearch.store.library import Library
from tests.indexer.runs import names_by_kind, of, run
from tests.indexer.test_reconcile import stills

Sample = Callable[[str], Path]


def test_deleted_and_excluded_files_are_named_and_removed(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet
) -> None:
    media = stills(tmp_path / "media", sample, "a.png", "b.png", "c.png", "d.png")
    shutil.copy(media / "a.png", media / "copy of a.png")
    run(media, library, models)
    assert library.absences() == {}

    (media / "a.png").unlink()
    (media / "b.png").unlink()
    outcomes = list(index([media], library, models, excludes=["c.*"]))
    assert of(Missing, outcomes) == [Missing(media / "b.png")]  # the copy of a.png is still there
    assert of(Excluded, outcomes) == [Excluded(media / "c.png")]
    generation = library.generation()
    assert library.absences() == {media / "b.png": Absence.MISSING, media / "c.png": Absence.EXCLUDED}
    list(index([media], library, models, excludes=["c.*"]))
    assert library.generation() == generation  # nothing new to record

    missing = plan_removal(library, [], [Absence.MISSING])
    assert missing.paths == (media / "b.png",) and len(missing.file_ids) == 1
    assert plan_removal(library, [media / "d.png"], [Absence.MISSING]).paths == ()
    for absences in ([], [Absence.MISSING]):
        with pytest.raises(PesearchError, match=r"nothing at .*typo\.png"):
            plan_removal(library, [media, media / "typo.png"], absences)
    assert plan_removal(library, [media], [Absence.MISSING, Absence.EXCLUDED]).paths == (
        media / "b.png",
        media / "c.png",
    )
    (media / "b.png").touch()  # it may be back without an indexing run
    assert plan_removal(library, [], [Absence.MISSING]).paths == ()
    assert current_absences(library) == {media / "c.png": Absence.EXCLUDED}
    (media / "c.png").rename(tmp_path / "c.png")
    assert current_absences(library) == {}
    (tmp_path / "c.png").rename(media / "c.png")

    outcomes = run(media, library, models)
    assert not of(Excluded, outcomes) and library.absences() == {}
    assert of(Restored, outcomes) == [Restored(media / "c.png")]  # b.png has other content: it is indexed, or fails


def test_files_of_a_disconnected_drive_are_not_missing(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = stills(tmp_path / "media/disk", sample, "a.png").parent
    run(media, library, models)
    shutil.rmtree(media / "disk")  # as an unmounted drive: neither the file nor its folder is there
    with monkeypatch.context() as patched:
        patched.setattr(recorder, "mounted_volumes", dict)
        assert of(Missing, run(media, library, models)) == []
        assert library.absences() == {}
        assert plan_removal(library, [], [Absence.MISSING]).paths == ()
    missing = [media / "disk/a.png"] if library.volumes() else []  # without a volume its folder has to be there
    assert of(Missing, run(media, library, models)) == [Missing(path) for path in missing]
    assert library.absences() == dict.fromkeys(missing, Absence.MISSING)


def test_files_are_missing_with_the_folder_that_was_indexed(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = stills(tmp_path / "media", sample, "a.png", "b.png")
    run(media, library, models)
    shutil.rmtree(media)
    with monkeypatch.context() as patched:
        patched.setattr(recorder, "mounted_volumes", dict)  # as where the folder is a drive that is not connected
        assert names_by_kind(run(media, library, models)) == {"Failed": ["media"]}
    missing = ["a.png", "b.png"] if library.volumes() else []
    assert sorted(each.path.name for each in of(Missing, run(media, library, models))) == missing
    assert sorted(path.name for path in plan_removal(library, [media], [Absence.MISSING]).paths) == missing
