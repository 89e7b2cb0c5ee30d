"""Watching a folder: files are taken once they have stopped changing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import LibraryNotFound
from pesearch.indexer.progress_events import (
    Damaged,
    Excluded,
    Indexed,
    Missing,
    Outcome,
    Plan,
    Relocated,
    Restored,
)
from pesearch.indexer.watch import watch
from pesearch.locations import Absence
from pesearch.store.index.maintenance import RefreshProgress
from pesearch.store.library import Library, create_library
from tests.indexer.runs import names_by_kind, run

Sample = Callable[[str], Path]


class Steps(Event):
    """Runs the next of `steps` before each crawl of the watcher, and stops it after the last."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        super().__init__()
        self._steps = list(steps)

    def wait(self, timeout: float | None = None) -> bool:
        if not self._steps:
            return True
        self._steps.pop(0)()
        return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "media"
    path.mkdir()
    return path


@pytest.fixture
def watching(folder: Path, library: Library, models: ModelSet) -> Callable[..., Iterator[Outcome]]:
    return lambda *steps: watch([folder], library, models, stop=Steps(*steps))


def nothing() -> None:
    """A crawl before which nothing changed."""


def test_a_growing_file_is_not_indexed_yet(
    folder: Path, sample: Sample, library: Library, watching: Callable[..., Iterator[Outcome]]
) -> None:
    picture = sample("cover.png").read_bytes()
    path = folder / "a.png"

    def grow() -> None:
        with path.open("ab") as file:
            file.write(picture[path.stat().st_size if path.exists() else 0 :][: len(picture) // 3 + 1])

    outcomes = watching(grow, grow, grow, nothing, nothing, nothing)
    first = next(outcomes)
    assert path.read_bytes() == picture  # nothing was reported before it was complete
    assert first == Plan(1, 0.0)
    assert names_by_kind(outcomes) == {"Indexed": ["a.png"]}
    assert library.failures() == []


def test_unchanged_files_are_not_reported_again(
    folder: Path, sample: Sample, library: Library, models: ModelSet, watching: Callable[..., Iterator[Outcome]]
) -> None:
    (folder / "a.png").write_bytes(sample("cover.png").read_bytes())
    (folder / "broken.mp4").touch()
    (folder / "notes.txt").write_text("text")
    run(folder, library, models)
    before = library.generation()
    assert list(watching(nothing, nothing, nothing)) == []
    assert library.generation() == before


def test_moves_and_removals_are_reported_once(
    folder: Path, sample: Sample, library: Library, models: ModelSet, watching: Callable[..., Iterator[Outcome]]
) -> None:
    for number, name in enumerate(("a.png", "b.png")):
        (folder / name).write_bytes(sample("cover.png").read_bytes() + bytes([number]))
    run(folder, library, models)
    outcomes = list(
        watching(
            nothing,
            lambda: (folder / "a.png").rename(folder / "c.png"),
            nothing,
            lambda: (folder / "b.png").unlink(),
            nothing,
            lambda: os.utime(folder / "c.png", ns=(5, 5)),
            nothing,
            nothing,
        )
    )
    moved = [outcome for outcome in outcomes if isinstance(outcome, Relocated)]
    assert [(each.previous, each.location.path) for each in moved] == [(folder / "a.png", folder / "c.png")]
    assert [each for each in outcomes if isinstance(each, Missing)] == [Missing(folder / "b.png")]
    assert library.absences() == {folder / "b.png": Absence.MISSING}
    assert not any(isinstance(each, Missing) for each in watching(nothing, nothing, nothing))  # named before
    assert not any(isinstance(each, Indexed) for each in outcomes)


def test_excluded_and_restored_files_are_reported_once(
    folder: Path, sample: Sample, library: Library, models: ModelSet, watching: Callable[..., Iterator[Outcome]]
) -> None:
    kept, other, ignore = folder / "kept.png", folder / "other.png", folder / ".pesearchignore"
    for number, path in enumerate((kept, other)):
        path.write_bytes(sample("cover.png").read_bytes() + bytes([number]))
    run(folder, library, models)
    outcomes = watching(
        nothing,
        lambda: ignore.write_text("other.png"),
        nothing,
        nothing,
        ignore.unlink,
        nothing,
        nothing,
        lambda: kept.rename(folder.with_name("kept.png")),
        nothing,
        nothing,
        lambda: folder.with_name("kept.png").rename(kept),
        nothing,
        nothing,
    )
    changed = [each for each in outcomes if isinstance(each, Missing | Excluded | Restored)]
    assert changed == [Excluded(other), Restored(other), Missing(kept), Restored(kept)]
    assert library.absences() == {}


def test_watching_waits_while_another_run_writes(
    folder: Path, sample: Sample, library: Library, watching: Callable[..., Iterator[Outcome]]
) -> None:
    (folder / "a.png").write_bytes(sample("cover.png").read_bytes())
    other = library.writer()
    outcomes = watching(other.__enter__, nothing, lambda: other.__exit__(None, None, None), nothing)
    assert names_by_kind(outcomes) == {"Indexed": ["a.png"]}


def test_a_library_that_is_replaced_or_deleted_is_noticed(
    folder: Path, sample: Sample, library: Library, models: ModelSet, watching: Callable[..., Iterator[Outcome]]
) -> None:
    """Although no file has changed since it was indexed."""
    (folder / "a.png").write_bytes(sample("cover.png").read_bytes())

    def replace() -> None:
        library.folder.rename(library.folder.with_name("old"))
        create_library(library.folder, models.name, models.spaces)

    outcomes = watching(nothing, nothing, replace, nothing, lambda: shutil.rmtree(library.folder))
    indexed: list[str] = []
    with pytest.raises(LibraryNotFound):
        indexed.extend(each.location.path.name for each in outcomes if isinstance(each, Indexed))
    assert indexed == ["a.png", "a.png"]


def test_a_shard_is_verified_after_each_crawl_without_changes(
    folder: Path, sample: Sample, library: Library, models: ModelSet, watching: Callable[..., Iterator[Outcome]]
) -> None:
    (folder / "a.png").write_bytes(sample("cover.png").read_bytes())
    run(folder, library, models)
    (shard,) = library.folder.glob("vectors/*/*.arrow")

    def damage() -> None:
        shard.write_bytes(shard.read_bytes()[:-10])

    outcomes = [
        each for each in watching(*[nothing] * 3, damage, *[nothing] * 4) if not isinstance(each, RefreshProgress)
    ]
    (found,) = outcomes
    assert isinstance(found, Damaged) and [file.path for file in found.files] == [folder / "a.png"]
