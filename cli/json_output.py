"""The JSON that scripts read: the shapes are fixed, times are seconds as numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pesearch.search.serialize import event_object, moment_object

if TYPE_CHECKING:
    from pesearch.search.search import SearchResult
    from pesearch.types import Event, Moment


def answer_json(answer: SearchResult, moments: Sequence[Moment]) -> str:
    """One object: the question and those of its moments that are to be shown, best first."""
    return json.dumps(
        {
            "query": answer.query,
            "model": answer.model,
            "library": str(answer.library),
            "moments": [moment_object(answer, moment) for moment in moments],
        },
        indent=2,
    )


def answer_lines(answer: SearchResult, moments: Sequence[Moment]) -> Iterable[str]:
    """One JSON object a line and moment."""
    return (json.dumps(moment_object(answer, moment)) for moment in moments)


def events_json(path: Path, events: Sequence[Event]) -> str:
    """The events of one file."""
    return json.dumps({"path": str(path), "events": [event_object(event) for event in events]}, indent=2)


def figures_json(figures: dict[str, Any]) -> str:
    """The figures of `pesearch eval`; a figure that could not be measured is null."""
    return json.dumps(without_nan(figures), indent=2)


def without_nan(value: Any) -> Any:
    """NaN is not JSON: null stands for it; other numbers keep four digits."""
    if isinstance(value, dict):
        return {key: without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(entry) for entry in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value
