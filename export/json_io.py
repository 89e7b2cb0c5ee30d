"""Moments as JSON: what `pesearch query --json` writes is read here, and what is exported can be read again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
from msgspec import Meta

from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection
from pesearch.search.serialize import event_object, media_object, seconds
from pesearch.types import AudioStream, Event, MediaInfo, MediaKind, VideoStream

_MOST_SECONDS = 1e8
"""Three years: longer than any file."""

_MOST_DIGITS = 20

Seconds = Annotated[float, Meta(ge=0, le=_MOST_SECONDS)]
Count = Annotated[int, Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class _Event:
    label: str
    start: Seconds
    end: Seconds
    score: float


@dataclass(frozen=True, slots=True)
class _Media:
    kind: MediaKind
    duration: Seconds
    frames_per_second: float | None = None
    width: Count | None = None
    height: Count | None = None
    sample_rate: Count | None = None
    channels: Count | None = None


@dataclass(frozen=True, slots=True)
class _Moment:
    path: Annotated[str, Meta(min_length=1, pattern=r"\A[^\0]+\Z")]
    start: Seconds
    end: Seconds
    score: float | None = None
    label: str = ""
    events: tuple[_Event, ...] = ()
    media: _Media | None = None


def choices_from(text: str) -> list[Selection]:
    """The moments in what `pesearch query` prints with `--json` or `--jsonl`, or in an export as JSON.

    Errors: ExportError with the first thing that is wrong.
    """
    choices: list[Selection] = []
    for number, document in enumerate(_documents(text), 1):
        label, moments = "", document if isinstance(document, list) else [document]
        if isinstance(document, dict) and "moments" in document:
            label, moments = str(document.get("query", "")), document["moments"]
        try:
            found = msgspec.convert(moments, list[_Moment])
        except msgspec.ValidationError as error:
            raise ExportError(
                f"no moments as `pesearch query --json` writes them: {error} (object {number})"
            ) from error
        choices += [_choice(moment, label) for moment in found]
    return choices


def choice_record(choice: Selection) -> dict[str, Any]:
    """A choice as an object of the same shape as a moment of `pesearch query --json`."""
    return {
        "path": str(choice.path),
        "start": seconds(choice.start_seconds),
        "end": seconds(choice.end_seconds),
        "score": choice.score,
        "label": choice.label,
        "events": [event_object(event) for event in choice.events],
        "media": media_object(choice.media) if choice.media else None,
    }


def json_document(choices: Sequence[Selection]) -> bytes:
    """`{"moments": [...]}`: may be exported again, in any form."""
    return json.dumps({"moments": [choice_record(each) for each in choices]}, indent=2).encode() + b"\n"


def _choice(moment: _Moment, label: str) -> Selection:
    events = tuple(Event(each.label, each.start, each.end, each.score) for each in moment.events)
    media = _media(moment.media) if moment.media else None
    path = Path(moment.path).absolute()
    return Selection(
        path, moment.start, max(moment.end, moment.start), moment.label or label, moment.score, events, media
    )


def _media(told: _Media) -> MediaInfo:
    """Codecs are not told: no form of export names them."""
    video = audio = None
    if told.frames_per_second is not None:
        video = VideoStream("", told.width or 0, told.height or 0, told.frames_per_second)
    if told.channels is not None:
        audio = AudioStream("", told.sample_rate or 0, told.channels)
    return MediaInfo(told.kind, told.duration, video, audio)


def _documents(text: str) -> Iterable[Any]:
    """One JSON document, or one on each line."""
    try:
        return [_loaded(text)]
    except json.JSONDecodeError as whole:
        lines = [line for line in text.split("\n") if line.strip()]
        if not lines:
            return []
        try:
            return [_loaded(line) for line in lines]
        except json.JSONDecodeError:
            raise ExportError(f"not JSON: {whole}") from whole


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_whole)
    except RecursionError:
        raise ExportError("not JSON of moments: nested too deeply") from None


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _refuse(digits)


def _whole(digits: str) -> int:
    return int(digits) if len(digits) <= _MOST_DIGITS else _refuse(f"{digits[:_MOST_DIGITS]}...")


def _refuse(constant: str) -> NoReturn:
    raise ExportError(f"not JSON: {constant} is no number")
