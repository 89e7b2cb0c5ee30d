"""Keeps a library up to date: crawls at intervals, and indexes files once they have stopped changing."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event

from pesearch.damage import DamagedFile
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import LibraryBusy, LibraryUnavailable, SnapshotExpired
from pesearch.indexer.crawl import crawl
from pesearch.indexer.progress_events import (
    Damaged,
    Excluded,
    Failed,
    FailedBefore,
    Missing,
    NotMedia,
    Outcome,
    Plan,
    Restored,
    Unchanged,
)
from pesearch.indexer.run import index_found
from pesearch.locations import Absence, Location
from pesearch.store.catalogue.stamp import read_library_id
from pesearch.store.library import Library
from pesearch.types import Failure

INTERVAL_SECONDS = 5.0
"""Time between two crawls. A file that kept its size and time this long counts as complete."""

_OUTCOMES: dict[Absence, type[Missing | Excluded]] = {Absence.MISSING: Missing, Absence.EXCLUDED: Excluded}
"""The outcome of a run that records an absence."""


def watch(
    paths: Sequence[Path],
    library: Library,
    models: ModelSet,
    *,
    excludes: Sequence[str] = (),
    interval_seconds: float = INTERVAL_SECONDS,
    stop: Event | None = None,
) -> Iterator[Outcome]:
    """Yields the outcomes of changes under `paths` from now on, until `stop` is set. Raises the errors of `index`.

    Crawls are compared instead of using the system's file notifications, which network drives do not send. The writer
    lock is free between runs: a library that takes the place of this one is indexed from scratch, if it has the same
    models. Raises LibraryNotFound when the library is deleted.

    After each crawl without changes the next shard is compared with its checksum, each of its states once.
    """
    stop = stop or Event()
    verification = _Verification(library)
    before = _Crawl(crawl(paths, excludes))
    indexed: tuple[list[Location | Failure], str] | None = None
    reported: set[Outcome] = {_OUTCOMES[reason](path) for path, reason in library.absences().items()}
    while not stop.wait(interval_seconds):
        now = _Crawl(crawl(paths, excludes))
        settled = [each for each in now.found if each in before.found]
        is_complete = len(settled) == len(now.found)
        disappeared, before = before.paths - now.paths, now
        library_id = read_library_id(library.folder)
        if (settled, library_id) == indexed:
            yield from verification.step()
            continue
        try:
            reported, must_retry = yield from _new_outcomes(
                index_found(settled, paths, library, models, is_complete=is_complete), reported, disappeared
            )
        except LibraryBusy:
            continue  # another run is writing; retried after the next crawl
        indexed = None if must_retry else (settled, library_id)


class _Verification:
    """Verifies a library shard by shard."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._shards: Iterator[Path] = iter(())
        self._reported: set[DamagedFile] = set()

    def step(self) -> Iterator[Damaged]:
        """Verify the next shard, if there is one. Yields the files that are newly found to be damaged."""
        try:
            if next(self._shards, None) is None:
                self._shards = self._library.verify()
                next(self._shards, None)
            found = tuple(file for file in self._library.damage() if file not in self._reported)
        except (LibraryBusy, LibraryUnavailable, SnapshotExpired):
            return  # its drive is disconnected, or commits overtake it: verified as soon as it can be read
        if found:
            self._reported.update(found)
            yield Damaged(found)


class _Crawl:
    """The results of one crawl, in order."""

    def __init__(self, found: Iterable[Location | Failure]) -> None:
        self.found = dict.fromkeys(found)
        self.paths = {each.path for each in self.found if isinstance(each, Location)}


def _new_outcomes(
    outcomes: Iterable[Outcome], reported: set[Outcome], disappeared: set[Path]
) -> Generator[Outcome, None, tuple[set[Outcome], bool]]:
    """Yields the outcomes of a run that were not reported before.

    Returns those that the next run will repeat, and whether another run is needed: a file that has `disappeared` since
    the last crawl may turn up elsewhere in the next, and is reported as missing only if it does not.
    """
    repeated: set[Outcome] = set()
    must_retry = False
    for outcome in outcomes:
        if isinstance(outcome, Missing) and outcome.path in disappeared:
            must_retry = True
        elif isinstance(outcome, (Missing, Excluded, Failed)):
            repeated.add(outcome)
            if outcome not in reported:
                yield outcome
        elif isinstance(outcome, Restored):
            if not reported.isdisjoint((Missing(outcome.path), Excluded(outcome.path))):
                yield outcome
        elif not isinstance(outcome, (Unchanged, FailedBefore, NotMedia)) and outcome != Plan(0, 0.0):
            yield outcome
    return repeated, must_retry
