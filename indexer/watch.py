"""Keeping a library up to date: looks again and again, and takes files only once they have stopped changing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import LibraryBusy
from pesearch.indexer.crawl import crawl
from pesearch.indexer.index import index_found
from pesearch.indexer.outcomes import Failed, FailedBefore, Missing, NotMedia, Outcome, Plan, Unchanged
from pesearch.store.library import Library
from pesearch.types import Failure, Location

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
    before: set[Location | Failure] = set(crawl(paths, excludes))
    indexed: list[Location | Failure] | None = None
    told: set[Outcome] = set()
    while not stop.wait(interval_seconds):
        found = list(crawl(paths, excludes))
        settled = [each for each in found if each in before]
        before = set(found)
        if settled == indexed:
            continue
        lasting: set[Outcome] = set()
        try:
            for outcome in index_found(settled, paths, library, models):
                if isinstance(outcome, (Missing, Failed)):
                    lasting.add(outcome)
                if outcome not in told and _is_news(outcome):
                    yield outcome
        except LibraryBusy:
            continue  # another run is writing now: the next look takes this up
        indexed, told = settled, lasting


def _is_news(outcome: Outcome) -> bool:
    return not isinstance(outcome, (Unchanged, FailedBefore, NotMedia)) and outcome != Plan(0, 0.0)
