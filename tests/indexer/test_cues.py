"""Cues are read with new files, and whenever a sidecar is added, changed or removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer import cues
from pesearch.indexer.progress_events import CuesUpdated, Indexed, Outcome, Relocated, Remarked, Unchanged
from pesearch.media.cues import CueReadResult
from pesearch.media.sidecars import Sidecar
from pesearch.store.catalogue.connection import transaction
from pesearch.store.library import Library
from pesearch.types import Remark
from tests.indexer.runs import of, run
from tests.media.samples import ffmpeg
from tests.store.word_search import search_cues


def srt(text: str) -> str:
    return f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n"


def said(library: Library) -> dict[str, list[str]]:
    return {file.locations[0].path.name: [cue.text for cue in library.cues(file.id)] for file in library.files()}


def nothing_embedded(outcomes: list[Outcome]) -> bool:
    return not of(Indexed, outcomes)


@pytest.fixture
def folder(tmp_path: Path, sample: Callable[[str], Path]) -> Path:
    """A sound with a sidecar."""
    folder = tmp_path / "media"
    folder.mkdir()
    shutil.copy(sample("tone.wav"), folder / "tone.wav")
    (folder / "tone.en.srt").write_text(srt("mind the gap"))
    return folder


def test_cues_come_with_a_new_file(folder: Path, library: Library, models: ModelSet) -> None:
    run(folder, library, models)
    assert said(library) == {"tone.wav": ["mind the gap"]}
    assert library.status().cues == 1
    before = library.generation()
    again = run(folder, library, models)
    assert not of(CuesUpdated, again) and library.generation() == before


def test_cues_inside_a_file_are_read(folder: Path, library: Library, models: ModelSet) -> None:
    both = ["-i", folder / "tone.wav", "-i", folder / "tone.en.srt", "-map", "0", "-map", "1"]
    ffmpeg(*both, "-metadata", "title=A film", folder / "film.mkv")
    run(folder, library, models)
    assert said(library)["film.mkv"] == ["A film", "mind the gap"]


def test_a_sidecar_that_is_added_changed_and_removed(folder: Path, library: Library, models: ModelSet) -> None:
    """Nothing is decoded or embedded again."""
    run(folder, library, models)
    (folder / "tone.de.srt").write_text(srt("Vorsicht"))
    (taken,) = of(CuesUpdated, added := run(folder, library, models))
    assert taken.cues == 1 and nothing_embedded(added) and of(Unchanged, added)
    assert said(library) == {"tone.wav": ["mind the gap", "Vorsicht"]}
    (folder / "tone.en.srt").write_text(srt("mind the wider gap"))
    assert nothing_embedded(run(folder, library, models))
    assert sorted(said(library)["tone.wav"]) == ["Vorsicht", "mind the wider gap"]
    (folder / "tone.de.srt").unlink()
    assert nothing_embedded(run(folder, library, models))
    assert said(library) == {"tone.wav": ["mind the wider gap"]}
    assert [hit.cue.text for hit in search_cues(library, "gap OR vorsicht", 9)] == ["mind the wider gap"]


def test_a_moved_file_keeps_its_sidecar(folder: Path, library: Library, models: ModelSet) -> None:
    run(folder, library, models)
    new = folder / "later"
    new.mkdir()
    for name in ("tone.wav", "tone.en.srt"):
        (folder / name).rename(new / name)
    outcomes = run(folder, library, models)
    assert of(Relocated, outcomes) and nothing_embedded(outcomes)
    assert said(library) == {"tone.wav": ["mind the gap"]}
    assert [source.sidecar.path for source in library.cue_sources() if source.sidecar] == [new / "tone.en.srt"]


def test_sidecars_of_copies_are_read(folder: Path, library: Library, models: ModelSet) -> None:
    shutil.copy(folder / "tone.wav", folder / "copy.wav")
    (folder / "copy.srt").write_text(srt("stand clear"))
    run(folder, library, models)
    assert [sorted(texts) for texts in said(library).values()] == [["mind the gap", "stand clear"]]
    before = library.generation()
    run(folder, library, models)
    assert library.generation() == before


def test_a_sidecar_that_matches_two_copies_is_read_once(folder: Path, library: Library, models: ModelSet) -> None:
    shutil.copy(folder / "tone.wav", folder / "tone.wave")
    for _ in range(2):
        outcomes = run(folder, library, models)
    assert not of(CuesUpdated, outcomes)
    assert list(said(library).values()) == [["mind the gap"]]


def test_a_bad_sidecar_does_not_fail_the_file(folder: Path, library: Library, models: ModelSet) -> None:
    """The reason is reported once, and again only when the sidecar has changed; other sidecars are read."""
    (folder / "tone.srt").write_bytes(bytes(range(256)))
    outcomes = run(folder, library, models)
    (remarked,) = of(Remarked, outcomes)
    assert remarked.path == folder / "tone.wav" and library.files()[0].remarks == remarked.remarks
    assert remarked.remarks == (Remark("not text: unknown encoding", sidecar=folder / "tone.srt"),)
    assert len(of(Indexed, outcomes)) == 1 and said(library) == {"tone.wav": ["mind the gap"]}
    assert not of(Remarked, run(folder, library, models))
    (folder / "tone.srt").write_bytes(bytes(range(255)))
    assert of(Remarked, run(folder, library, models))


def test_a_sidecar_that_becomes_readable_loses_its_remark(
    folder: Path, library: Library, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cues stay meanwhile, and runs that change nothing commit nothing."""
    run(folder, library, models)
    (folder / "tone.en.srt").write_text(srt("stand clear"))

    def refused(sidecar: Sidecar, media: Path, duration_seconds: float) -> CueReadResult:
        return CueReadResult(None, "cannot be read: Permission denied")

    with monkeypatch.context() as denied:
        denied.setattr(cues, "read_sidecar", refused)
        for _ in range(2):
            (remarked,) = of(Remarked, run(folder, library, models))
            expected = (Remark("cannot be read: Permission denied", sidecar=folder / "tone.en.srt"),)
            assert remarked.remarks == library.files()[0].remarks == expected
            assert said(library) == {"tone.wav": ["mind the gap"]}
        before = library.generation()
        run(folder, library, models)
        assert library.generation() == before
    assert not of(Remarked, run(folder, library, models))
    assert said(library) == {"tone.wav": ["stand clear"]} and library.files()[0].remarks == ()


def test_the_remark_of_a_sidecar_goes_when_it_is_deleted(folder: Path, library: Library, models: ModelSet) -> None:
    (folder / "tone.srt").write_bytes(bytes(range(256)))
    run(folder, library, models)
    assert library.status().remarks == 1
    (folder / "tone.srt").unlink()
    run(folder, library, models)
    assert library.status().remarks == 0


def test_a_library_from_before_cues_reads_them(folder: Path, library: Library, models: ModelSet) -> None:
    run(folder, library, models)
    with transaction(library.folder) as connection:
        connection.execute("DELETE FROM cues")
        connection.execute("DELETE FROM cue_sources")
    outcomes = run(folder, library, models)
    assert nothing_embedded(outcomes) and [each.cues for each in of(CuesUpdated, outcomes)] == [1]
    assert said(library) == {"tone.wav": ["mind the gap"]}


def test_an_offline_file_keeps_its_cues(folder: Path, library: Library, models: ModelSet) -> None:
    run(folder, library, models)
    folder.rename(folder.with_name("offline"))
    folder.mkdir()
    run(folder, library, models)
    assert said(library) == {"tone.wav": ["mind the gap"]}
