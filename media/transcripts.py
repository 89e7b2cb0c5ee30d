"""Transcripts of speech recognisers: JSON and TSV of Whisper and its relatives, YouTube's json3.

Most JSON files next to media are something else; they are passed over in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pesearch.media.json_text import parse_json
from pesearch.media.subtitle_times import Entry, lines_in

_MAX_SECONDS = 1e7


def read_json(text: str) -> Iterator[Entry]:
    """The timed texts of a transcript, nothing for other JSON: `segments` (Whisper, WhisperX, faster-whisper), `chunks`
    (Transformers), `transcription` (whisper.cpp), `events` (YouTube's json3), or a list of segments alone."""
    found = parse_json(text)
    lists: list[Any] = [found]
    if isinstance(found, dict):
        lists = [found.get(name) for name in ("segments", "chunks", "transcription", "events")]
    for each in lists:
        if isinstance(each, list):
            for segment in each:
                if isinstance(segment, dict) and (entry := _segment(segment)) is not None:
                    yield entry


def read_tsv(text: str) -> Iterator[Entry]:
    """Whisper's TSV: `start`, `end` in milliseconds, `text`. Nothing for other tables."""
    header, _, rest = text.partition("\n")
    if header.split("\t")[:3] != ["start", "end", "text"]:
        return
    for line in lines_in(rest):
        start, _, more = line.partition("\t")
        end, _, shown = more.partition("\t")
        if start.isdecimal() and end.isdecimal() and max(len(start), len(end)) < 12:
            yield int(start) / 1000, int(end) / 1000, shown


def _segment(segment: dict[str, Any]) -> Entry | None:
    match segment:
        case {"start": start, "end": end, "text": str(text)}:
            return _entry(start, end, text, 1.0)
        case {"timestamp": [start, end], "text": str(text)}:
            return _entry(start, end, text, 1.0)
        case {"offsets": {"from": start, "to": end}, "text": str(text)}:
            return _entry(start, end, text, 0.001)
        case {"tStartMs": start, "segs": list(pieces), **rest}:
            words = (piece.get("utf8") for piece in pieces if isinstance(piece, dict))
            length = rest.get("dDurationMs", 0)
            if isinstance(start, int | float) and isinstance(length, int | float):
                return _entry(start, start + length, "".join(word for word in words if isinstance(word, str)), 0.001)
    return None


def _entry(start: object, end: object, text: str, unit: float) -> Entry | None:
    """The entry, if its times are numbers; an unknown end (None) is the start."""
    if not isinstance(start, int | float) or isinstance(start, bool):
        return None
    last = end if isinstance(end, int | float) and not isinstance(end, bool) else start
    if not 0 <= start * unit < _MAX_SECONDS or not 0 <= last * unit < _MAX_SECONDS:
        return None
    return start * unit, last * unit, text
