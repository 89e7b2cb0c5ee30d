"""The JSON of moments, events and cues: the shapes are fixed, times are seconds as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pesearch.cues import FoundCue
    from pesearch.search.search import Answer
    from pesearch.types import Event, Moment


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


def cue_object(cue: FoundCue) -> dict[str, Any]:
    """A cue as an object, and whether its words or its meaning were found."""
    return {
        "text": cue.text,
        "start": seconds(cue.start_seconds),
        "end": seconds(cue.end_seconds),
        "kind": str(cue.kind),
        "source": cue.source,
        "found_by": str(cue.found_by),
    }


def event_object(event: Event) -> dict[str, Any]:
    """An event as the object of the documented shape."""
    return {
        "label": event.label,
        "start": seconds(event.start_seconds),
        "end": seconds(event.end_seconds),
        "score": rounded(event.score),
    }


def seconds(value: float) -> float:
    """Milliseconds are enough."""
    return round(float(value), 3)


def rounded(value: float) -> float:
    """Four digits are enough for a score."""
    return round(float(value), 4)
