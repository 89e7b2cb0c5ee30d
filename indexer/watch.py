"""Keeping a library up to date: looks again and again, and takes files only once they have stopped changing."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import LibraryBusy
from pesearch.indexer.crawl import crawl
from pesearch.indexer.progress_events import Failed, FailedBefore, Missing, NotMedia, Outcome, Plan, Unchanged
from pesearch.indexer.run import index_found
from pesearch.locations import Location
from pesearch.store.library import Library
from pesearch.types import Failure

INTERVAL_SECONDS = 5.0
"""How long between two looks: a file that kept its size and time for so long counts as complete."""


def watch(
    paths: Sequence[Path],
    library: Library,
    models: ModelSet,
    *,
    excludes: Sequence[str] = (),
    interval_seconds: float = INTERVAL_SECONDS,
    stop: Event | None = None,
) -> Iterator[Outcome]:
    """The outcomes of what changes under `paths` from now on, until `stop` is set. Errors as in `index`.

    Folders are compared by looking, not by the system's notices: those do not come from network drives. Between
    runs the writer's lock is free.
    """
    stop = stop or Event()
    before = _Look(crawl(paths, excludes))
    indexed: list[Location | Failure] | None = None
    told: set[Outcome] = set()
    while not stop.wait(interval_seconds):
        now = _Look(crawl(paths, excludes))
        settled = [each for each in now.found if each in before.found]
        left, before = before.paths - now.paths, now
        if settled == indexed:
            continue
        try:
            told, waits = yield from _news(index_found(settled, paths, library, models), told, left)
        except LibraryBusy:
            continue  # another run is writing now: the next look takes this up
        indexed = None if waits else settled


class _Look:
    """What one crawl found, in its order."""

    def __init__(self, found: Iterable[Location | Failure]) -> None:
        self.found = dict.fromkeys(found)
        self.paths = {each.path for each in self.found if isinstance(each, Location)}


def _news(
    outcomes: Iterable[Outcome], told: set[Outcome], left: set[Path]
) -> Generator[Outcome, None, tuple[set[Outcome], bool]]:
    """What of a run is worth telling. Returns what will be so at the next run too, and whether to look again.

    A file that has `left` since the last look may turn up elsewhere at the next one: only then is it missing.
    """
    standing: set[Outcome] = set()
    waits = False
    for outcome in outcomes:
        if isinstance(outcome, Missing) and outcome.path in left:
            waits = True
        elif isinstance(outcome, (Missing, Failed)):
            standing.add(outcome)
            if outcome not in told:
                yield outcome
        elif not isinstance(outcome, (Unchanged, FailedBefore, NotMedia)) and outcome != Plan(0, 0.0):
            yield outcome
    return standing, waits
