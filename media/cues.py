"""The cues of a media file: what is written in it and beside it, with times of the player's clock.

A sidecar that cannot be read never fails its media file: its cues are left out, and a remark says why.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.errors import FFmpegMissing, MediaError
from pesearch.locations import Location
from pesearch.media.embedded_metadata import EmbeddedMetadata, read_embedded_metadata
from pesearch.media.file_head import raise_unreadable
from pesearch.media.sidecars import Sidecar
from pesearch.media.subtitles import MAX_CUES, MAX_TEXT_CHARACTERS, Line, decode_text, parse_subtitles
from pesearch.types import MediaInfo, MediaKind

MAX_SIDECAR_BYTES = 32 << 20
"""The subtitles of a film have 200 kB, and of one with every sign typeset 20 MB."""

_TOLD_IN_TAGS = {
    "title": CueKind.TITLE,
    **dict.fromkeys(("show", "album", "artist", "comment", "description", "synopsis", "lyrics"), CueKind.DESCRIPTION),
}


@dataclass(frozen=True, slots=True)
class CueReadResult:
    """What was read, and what is to be said of it: why cues were left out, or how they were understood.

    No `source` where the system kept it from being read: it has not been seen.
    """

    source: CueSource | None
    remark: str | None


def read_sidecar(sidecar: Sidecar, media: Path, duration_seconds: float) -> CueReadResult:
    """The cues of a sidecar of a media file that lasts so long. One that cannot be read has none, with a remark."""
    place = sidecar.location
    try:
        text, remark = decode_text(_content(place))
        cues = _placed(_SIDECARS.get(sidecar.form, _subtitles)(text, sidecar), duration_seconds)
    except MediaError as error:
        return CueReadResult(None if _kept_out(error) else CueSource(place, media, ()), str(error))
    return CueReadResult(CueSource(place, media, cues), remark)


def read_embedded_cues(media: Path, info: MediaInfo) -> CueReadResult:
    """The cues in a media file itself: subtitle streams of text, chapters, and what its tags tell. Errors:
    FFmpegMissing."""
    nothing = CueSource(None, None, ())
    if info.kind is MediaKind.IMAGE:
        return CueReadResult(nothing, None)
    try:
        inside = read_embedded_metadata(media)
    except FFmpegMissing:
        raise
    except MediaError as error:
        return CueReadResult(None if _kept_out(error) else nothing, f"what is written in it cannot be read: {error}")
    except OSError as error:
        return CueReadResult(None, f"what is written in it cannot be read: {error.strerror}")
    cues = _placed(_written_inside(inside), info.duration_seconds)
    return CueReadResult(CueSource(None, None, cues), "; ".join(inside.remarks) or None)


def _kept_out(error: MediaError) -> bool:
    """Whether it was not the content that was at fault."""
    return isinstance(error.__cause__, OSError)


def _content(place: Location) -> bytes:
    if place.size_bytes > MAX_SIDECAR_BYTES:
        raise MediaError(f"{place.size_bytes / 1e6:,.0f} MB: more than is read of a file beside media")
    try:
        with place.path.open("rb") as file:
            return file.read(MAX_SIDECAR_BYTES)
    except OSError as error:
        raise_unreadable(error)


def _subtitles(text: str, sidecar: Sidecar) -> Iterator[Cue]:
    for line in parse_subtitles(text, sidecar.form):
        yield _cue(line, CueKind.SUBTITLE, _name(sidecar.location.path), sidecar.language)


def _captions(text: str, sidecar: Sidecar) -> Iterator[Cue]:
    """A caption a line, as collections of captioned clips have them."""
    source = _name(sidecar.location.path)
    return (_of_all(line, CueKind.DESCRIPTION, source) for line in text.split("\n"))


def _download(text: str, sidecar: Sidecar) -> Iterator[Cue]:
    """What yt-dlp writes down of a video (`--write-info-json`)."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MediaError("damaged: no JSON") from error
    if not isinstance(told, dict):
        raise MediaError("not what yt-dlp writes: no object of JSON")
    source = _name(sidecar.location.path)
    yield _of_all(_text(told.get("title")), CueKind.TITLE, source)
    for line in _text(told.get("description")).split("\n"):
        yield _of_all(line, CueKind.DESCRIPTION, source)
    yield _of_all(", ".join(_text(tag) for tag in _list(told.get("tags"))), CueKind.DESCRIPTION, source)
    for chapter in _list(told.get("chapters")):
        if isinstance(chapter, dict):
            start, end = _number(chapter.get("start_time"), 0.0), _number(chapter.get("end_time"), math.inf)
            yield _cue(Line(start, end, _text(chapter.get("title"))), CueKind.CHAPTER, source)


_SIDECARS: dict[str, Callable[[str, Sidecar], Iterator[Cue]]] = {".info.json": _download, ".txt": _captions}


def _written_inside(inside: EmbeddedMetadata) -> Iterator[Cue]:
    for tag, text in inside.tags.items():
        if (kind := _TOLD_IN_TAGS.get(tag.lower())) is not None:
            yield from (_of_all(line, kind, f"tag {tag.lower()}") for line in text.split("\n"))
    for chapter in inside.chapters:
        yield _cue(chapter, CueKind.CHAPTER, "chapters")
    for stream in inside.streams:
        for line in stream.lines:
            yield _cue(line, CueKind.SUBTITLE, f"stream {stream.index}", stream.language)


def _placed(cues: Iterable[Cue], duration_seconds: float) -> tuple[Cue, ...]:
    """Those that are shown while the file lasts, in the order of time, each once."""
    found: dict[Cue, None] = {}
    for cue in cues:
        text = _readable(" ".join(cue.text.split())[:MAX_TEXT_CHARACTERS])
        start, end = max(cue.start_seconds, 0.0), min(max(cue.end_seconds, cue.start_seconds), duration_seconds)
        if text and start <= end and (cue.end_seconds > 0 or cue.start_seconds >= 0):
            found[Cue(start, end, text, cue.kind, cue.source, cue.language)] = None
        if len(found) > MAX_CUES:
            raise MediaError(f"more than {MAX_CUES:,} cues: more than is read")
    return tuple(sorted(found, key=lambda cue: (cue.start_seconds, cue.end_seconds)))


def _cue(line: Line, kind: CueKind, source: str, language: str = "") -> Cue:
    return Cue(line.start_seconds, line.end_seconds, line.text, kind, source, language)


def _of_all(text: str, kind: CueKind, source: str) -> Cue:
    return Cue(0.0, math.inf, text, kind, source)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any, otherwise: float) -> float:
    is_number = isinstance(value, int | float) and abs(value) < 1e12
    return float(value) if is_number else otherwise


def _name(path: Path) -> str:
    return _readable(path.name)


def _readable(text: str) -> str:
    """Text that UTF-8 can hold: the undecodable bytes of a name become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
