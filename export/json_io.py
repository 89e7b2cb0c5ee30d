"""Selections as JSON: reads the output of `pesearch query --json` and `--jsonl`, and writes the same shape."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
from msgspec import Meta

from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection
from pesearch.search.serialize import event_object, interval_object, media_object
from pesearch.types import AudioStream, Event, MediaInfo, MediaKind, VideoStream

MAX_SECONDS = 1e8
"""Three years, longer than any file."""

_MAX_DIGITS = 20
"""Maximum number of digits of a time. Python raises ValueError, not ExportError, for integers of 4300 digits."""

Seconds = Annotated[float, Meta(ge=0, le=MAX_SECONDS)]
Count = Annotated[int, Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class EventObject:
    """An event as `search.serialize.event_object` writes it."""

    label: str
    start: Seconds
    end: Seconds
    score: float


@dataclass(frozen=True, slots=True)
class MediaObject:
    """Media info as `search.serialize.media_object` writes it."""

    kind: MediaKind
    duration: Seconds
    frames_per_second: float | None = None
    width: Count | None = None
    height: Count | None = None
    sample_rate: Count | None = None
    channels: Count | None = None


@dataclass(frozen=True, slots=True)
class SelectionObject:
    """The fields that an export needs, of a moment of `pesearch query --json` or --jsonl, or of `selection_object`.

    `query` is its label where it has none of its own.
    """

    path: Annotated[str, Meta(min_length=1, pattern=r"\A[^\0]+\Z")]
    start: Seconds
    end: Seconds
    score: float | None = None
    label: str = ""
    events: tuple[EventObject, ...] = ()
    media: MediaObject | None = None
    query: str = ""


def parse_selections(text: str) -> list[Selection]:
    """Parse the output of `pesearch query --json` or `--jsonl`, a JSON array of moments, or a JSON export.

    Raises ExportError with the first mistake.
    """
    selections: list[Selection] = []
    for number, document in enumerate(_documents(text), 1):
        label, moments = "", document if isinstance(document, list) else [document]
        if isinstance(document, dict) and "moments" in document:
            label, moments = str(document.get("query", "")), document["moments"]
        try:
            parsed = msgspec.convert(moments, list[SelectionObject])
        except msgspec.ValidationError as error:
            raise ExportError(
                f"not moments as `pesearch query --json` prints them: {error} (object {number})"
            ) from error
        except UnicodeEncodeError as error:
            raise _not_text(number) from error
        selections += [_selection(moment, label) for moment in parsed]
        if not all(map(_is_writable, selections[-len(parsed) :])):
            raise _not_text(number)
    return selections


def selection_object(selection: Selection) -> dict[str, Any]:
    """A selection in the shape of a moment of `pesearch query --json`, with its label."""
    return {
        **interval_object(selection.path, selection.start_seconds, selection.end_seconds),
        "score": selection.score,
        "label": selection.label,
        "events": [event_object(event) for event in selection.events],
        "media": media_object(selection.media) if selection.media else None,
    }


def json_document(selections: Sequence[Selection]) -> bytes:
    """`{"moments": [...]}`, which `parse_selections` reads back."""
    return json.dumps({"moments": [selection_object(selection) for selection in selections]}, indent=2).encode() + b"\n"


def _not_text(number: int) -> ExportError:
    return ExportError(f"the JSON has text that is not Unicode: an escape such as \\ud800 alone (object {number})")


def _is_writable(selection: Selection) -> bool:
    """Whether its texts can be written in UTF-8, and its path to the file system, which allows undecodable bytes."""
    try:
        for text in (str(selection.path), selection.label, *(event.label for event in selection.events)):
            os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _selection(moment: SelectionObject, label: str) -> Selection:
    events = tuple(Event(event.label, event.start, event.end, event.score) for event in moment.events)
    media = _media(moment.media) if moment.media else None
    path = Path(moment.path).absolute()
    return Selection(
        path,
        moment.start,
        max(moment.end, moment.start),
        moment.label or moment.query or label,
        moment.score,
        events,
        media,
    )


def _media(media: MediaObject) -> MediaInfo:
    """Codecs are empty: the JSON does not have them, and no export format needs them."""
    video = audio = None
    if media.frames_per_second is not None:
        video = VideoStream("", media.width or 0, media.height or 0, media.frames_per_second)
    if media.channels is not None:
        audio = AudioStream("", media.sample_rate or 0, media.channels)
    return MediaInfo(media.kind, media.duration, video, audio)


def _documents(text: str) -> Iterable[Any]:
    """The text as one JSON document, or as JSON Lines."""
    try:
        return [_load(text)]
    except json.JSONDecodeError as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if not lines:
            return []
        try:
            return [_load(line) for line in lines]
        except json.JSONDecodeError:
            raise ExportError(f"not JSON ({error}): use the output of `pesearch query --json` or --jsonl") from error


def _load(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_parse_float, parse_int=_parse_int)
    except RecursionError:
        raise ExportError("the JSON is nested too deeply to be moments") from None


def _parse_float(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _refuse(digits)


def _parse_int(digits: str) -> int:
    return int(digits) if len(digits) <= _MAX_DIGITS else _refuse(f"{digits[:_MAX_DIGITS]}...")


def _refuse(constant: str) -> NoReturn:
    raise ExportError(f"not JSON: {constant} is not a number")
