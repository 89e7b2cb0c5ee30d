"""The JSON that scripts read: the shapes are fixed, times are seconds as numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pesearch.search.search import Answer
    from pesearch.types import Cue, Event, Moment


def answer_json(answer: Answer, moments: Sequence[Moment]) -> str:
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


def answer_lines(answer: Answer, moments: Sequence[Moment]) -> Iterable[str]:
    """One JSON object a line and moment."""
    return (json.dumps(moment_object(answer, moment)) for moment in moments)


def moment_object(answer: Answer, moment: Moment) -> dict[str, Any]:
    """A moment as the object of the documented shape."""
    from pesearch.search.export.record import media_record

    return {
        "rank": moment.rank,
        "path": str(moment.file.path),
        "start": seconds(moment.start_seconds),
        "end": seconds(moment.end_seconds),
        "score": rounded(moment.score),
        "score_kind": answer.score_kind,
        "confident": answer.is_match(moment),
        "evidence": [
            {
                "space": str(hit.space),
                "start": seconds(hit.start_seconds),
                "end": seconds(hit.end_seconds),
                "score": rounded(hit.score),
                "rank": hit.rank,
            }
            for hit in moment.evidence
        ],
        "events": [event_object(event) for event in moment.events],
        "cues": [cue_object(cue) for cue in moment.cues],
        "media": media_record(moment.file.info),
    }


def cue_object(cue: Cue) -> dict[str, Any]:
    """A cue as an object."""
    return {
        "text": cue.text,
        "start": seconds(cue.start_seconds),
        "end": seconds(cue.end_seconds),
        "kind": str(cue.kind),
        "source": cue.source,
    }


def event_object(event: Event) -> dict[str, Any]:
    """An event as the object of the documented shape."""
    return {
        "label": event.label,
        "start": seconds(event.start_seconds),
        "end": seconds(event.end_seconds),
        "score": rounded(event.score),
    }


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


def seconds(value: float) -> float:
    """Milliseconds are enough."""
    return round(float(value), 3)


def rounded(value: float) -> float:
    """Four digits are enough for a score."""
    return round(float(value), 4)
