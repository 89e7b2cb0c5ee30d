"""Running the indexer and looking at what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.progress_events import Failed, FailedBefore, Indexed, Missing, Outcome, Relocated, Unchanged
from pesearch.indexer.run import index
from pesearch.store.library import Library
from pesearch.types import SpaceName

Kind = TypeVar("Kind")


def run(folder: Path, library: Library, models: ModelSet, *, retry_failed: bool = False) -> list[Outcome]:
    """One run over one folder, to its end."""
    return list(index([folder], library, models, retry_failed=retry_failed))


def of(kind: type[Kind], outcomes: Iterable[Outcome]) -> list[Kind]:
    """The outcomes of one kind."""
    return [outcome for outcome in outcomes if isinstance(outcome, kind)]


def names_by_kind(outcomes: Iterable[Outcome]) -> dict[str, list[str]]:
    """Names of files by what became of them, sorted; plan and progress left out."""
    found: dict[str, list[str]] = {}
    for outcome in outcomes:
        if isinstance(outcome, Indexed | Unchanged | Relocated):
            found.setdefault(type(outcome).__name__, []).append(outcome.location.path.name)
        elif isinstance(outcome, Failed | FailedBefore):
            found.setdefault(type(outcome).__name__, []).append(outcome.failure.location.path.name)
        elif isinstance(outcome, Missing):
            found.setdefault("Missing", []).append(outcome.path.name)
    return {kind: sorted(names) for kind, names in found.items()}


def row_counts(library: Library) -> dict[str, dict[SpaceName, int]]:
    """Rows by space of each file that has vectors, by the name of the file's first location."""
    return {
        file.locations[0].path.name: {
            space.name: rows for space in library.spaces if (rows := len(library.vectors(file.id, space.name).vectors))
        }
        for file in library.files()
    }


def location_counts(library: Library) -> Counter[str]:
    """How often each path is a location of a file."""
    return Counter(place.path.name for file in library.files() for place in file.locations)
