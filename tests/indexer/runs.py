"""Runs the indexer and summarises the results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.progress_events import Failed, FailedBefore, Indexed, Missing, Outcome, Relocated, Unchanged
from pesearch.indexer.run import index
from pesearch.store.library import Library
from pesearch.types import SpaceName

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class IndexedFolder:
    """A folder, its library, and the outcomes of the run that made it."""

    folder: Path
    library: Library
    outcomes: list[Outcome]


def run(folder: Path, library: Library, models: ModelSet, *, retry_failed: bool = False) -> list[Outcome]:
    """All outcomes of one run over one folder."""
    return list(index([folder], library, models, retry_failed=retry_failed))


def of(kind: type[Kind], outcomes: Iterable[Outcome]) -> list[Kind]:
    """The outcomes of one kind."""
    return [outcome for outcome in outcomes if isinstance(outcome, kind)]


def names_by_kind(outcomes: Iterable[Outcome]) -> dict[str, list[str]]:
    """File names by type of outcome, sorted; without plan and progress."""
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
    """Number of vectors by file name (of the first location) and space."""
    return {
        file.locations[0].path.name: {
            space.name: rows for space in library.spaces if (rows := len(library.vectors(file.id, space.name).vectors))
        }
        for file in library.files()
    }


def location_counts(library: Library) -> Counter[str]:
    """Number of locations by file name."""
    return Counter(place.path.name for file in library.files() for place in file.locations)
