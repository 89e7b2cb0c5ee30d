"""JSON for scripts. The shapes are fixed; times are seconds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pesearch.search.serialize import events_object, moment_object, result_object

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from pesearch.evaluation.recalibrate import CalibrationErrors
    from pesearch.search.search import SearchResult
    from pesearch.types import Event, Moment


def result_json(result: SearchResult, moments: Sequence[Moment]) -> str:
    """One object: the query and `moments`, those of its result to print, best first."""
    return json.dumps(result_object(result, moments), indent=2)


def result_jsonl(result: SearchResult, moments: Sequence[Moment]) -> Iterable[str]:
    """One line of JSON for each moment, with the query that found it."""
    return (json.dumps({"query": result.query, **moment_object(result, moment)}) for moment in moments)


def events_json(path: Path, events: Sequence[Event]) -> str:
    """The sound events of one file."""
    return json.dumps(events_object(path, events), indent=2)


def evaluation_json(figures: DataclassInstance, calibration: CalibrationErrors | None) -> str:
    """The figures of `pesearch eval`, and of the calibration of a library; null where there was nothing to measure."""
    return figures_json({**asdict(figures), "calibration": None if calibration is None else asdict(calibration)})


def figures_json(figures: dict[str, Any]) -> str:
    """Figures to four decimals; null where there was nothing to measure."""
    return json.dumps(_rounded(figures), indent=2)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(entry) for entry in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value
