"""Cues of a media file: from its embedded metadata and its sidecars, on the player's clock.

An unreadable sidecar never fails its media file: its cues are left out, and a remark says why.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.errors import FFmpegMissing, MediaError
from pesearch.heap_trim import trim_heap
from pesearch.locations import Location
from pesearch.media.broadcast_subtitles import is_ebu_stl, read_ebu_stl, read_scc
from pesearch.media.cue_timing import clip, place
from pesearch.media.embedded_metadata import EmbeddedMetadata, read_embedded_metadata
from pesearch.media.file_head import open_regular, raise_unreadable
from pesearch.media.json_text import parse_json
from pesearch.media.language_tags import primary_language
from pesearch.media.probe import inspect
from pesearch.media.sidecars import Sidecar
from pesearch.media.source_timecode import read_timecode, start_seconds
from pesearch.media.subtitle_times import lines_in
from pesearch.media.subtitles import (
    MAX_CUES,
    MAX_TEXT_CHARACTERS,
    OTHER_CONTENT_SUFFIXES,
    PICTURE_SUFFIXES,
    Line,
    has_times,
    lines_of,
    parse_subtitles,
)
from pesearch.media.text_encoding import decode_text
from pesearch.types import MediaInfo, MediaKind

MAX_SIDECAR_BYTES = 24 << 20
"""Subtitles of a film take 200 kB; with every sign typeset, 20 MB."""

_LARGE_BYTES = 1 << 20
"""The memory of larger sidecars goes back to the system, which takes up to 10 ms."""

MAX_LINES = 1_000_000
"""Of a sidecar; those of a typeset film have 200,000."""

_PROGRAM_STREAM = b"\x00\x00\x01\xba"
"""Start of a `.sub` file of VobSub."""

_DESCRIPTIONS = (
    "show album artist author performer comment comments description synopsis summary subtitle keywords lyrics "
    "unsyncedlyrics"
)
_KIND_OF_TAG = {"title": CueKind.TITLE, **dict.fromkeys(_DESCRIPTIONS.split(" "), CueKind.DESCRIPTION)}
"""Container tags that become cues."""


@dataclass(frozen=True, slots=True)
class CueReadResult:
    """Cues of one source, and a remark for the user: why cues were left out, or how an encoding was guessed.

    `source` is None if the file system refused to open the file: its content is unknown rather than empty.
    """

    source: CueSource | None
    remark: str | None


def read_sidecar(sidecar: Sidecar, media: Path, duration_seconds: float) -> CueReadResult:
    """Cues of a sidecar of `media`, clipped to its duration. An unreadable sidecar gives none, with a remark.

    Errors: FFmpegMissing.
    """
    location = sidecar.location
    try:
        read, remarks = _read(sidecar, media)
        if location.size_bytes >= _LARGE_BYTES:
            trim_heap()  # of the text, before the cues are made
        cues, more = _clipped(read, duration_seconds, partial(_start_timecode, media))
    except FFmpegMissing:
        raise
    except MediaError as error:
        is_other = sidecar.suffix in OTHER_CONTENT_SUFFIXES and not _is_io_error(error)
        source = None if _is_io_error(error) else CueSource(location, media, ())
        return CueReadResult(source, None if is_other else str(error))
    return CueReadResult(CueSource(location, media, cues), "; ".join([*remarks, *more]) or None)


def read_embedded_cues(media: Path, info: MediaInfo) -> CueReadResult:
    """Cues in the media file itself: text subtitle streams, chapters and tags. Errors: FFmpegMissing."""
    no_cues = CueSource(None, None, ())
    if info.kind is MediaKind.IMAGE:
        return CueReadResult(no_cues, None)
    try:
        metadata = read_embedded_metadata(media)
    except FFmpegMissing:
        raise
    except MediaError as error:
        return CueReadResult(None if _is_io_error(error) else no_cues, f"embedded metadata cannot be read: {error}")
    except OSError as error:
        return CueReadResult(None, f"embedded metadata cannot be read: {error.strerror}")
    try:
        cues, remarks = _clipped(_embedded(metadata), info.duration_seconds, partial(_start_timecode, media))
    except MediaError as error:
        return CueReadResult(no_cues, str(error))
    return CueReadResult(CueSource(None, None, cues), "; ".join([*metadata.remarks, *remarks]) or None)


def _is_io_error(error: MediaError) -> bool:
    """Whether the file system failed, not the content."""
    return isinstance(error.__cause__, OSError)


def _content(location: Location, suffix: str) -> bytes:
    with open_regular(location.path) as file:
        try:
            _check_link(location.path, suffix)
            content = file.read(MAX_SIDECAR_BYTES + 1)
        except OSError as error:
            raise_unreadable(error)
    if len(content) > MAX_SIDECAR_BYTES:
        size, limit = max(location.size_bytes, len(content)) / 1e6, MAX_SIDECAR_BYTES / 1e6
        raise MediaError(f"sidecar of {size:,.0f} MB left out: the limit is {limit:,.0f} MB")
    return content


def _check_link(path: Path, suffix: str) -> None:
    """Errors: MediaError for a link from a sidecar's name to a file of another kind, such as a key; OSError."""
    target, last = Path(os.path.realpath(path)), "." + suffix.rpartition(".")[2]
    if path.is_symlink() and target.suffix.lower() != last:
        raise MediaError(f"a link to {_name(target)}, which is no {last} file: left out")


def _read(sidecar: Sidecar, media: Path) -> tuple[Iterator[Cue], list[str]]:
    """The cues of a sidecar with the times that it states, and remarks. Errors: MediaError, also while the cues are
    iterated; FFmpegMissing."""
    content, path = _content(sidecar.location, sidecar.suffix), sidecar.location.path
    if sidecar.suffix in PICTURE_SUFFIXES or content.startswith(_PROGRAM_STREAM):
        raise MediaError("subtitles that are pictures are not read: turn them into .srt by character recognition")
    if is_ebu_stl(content):
        return _subtitles(lines_of(read_ebu_stl(content)), sidecar), []
    if sidecar.suffix == ".scc":
        return _subtitles(parse_subtitles(read_scc(path), ".ass"), sidecar), []
    text, remark = decode_text(content, primary_language(sidecar.language))
    del content  # as large as the text
    if text.count("\n") > MAX_LINES:
        raise MediaError(f"more than {MAX_LINES:,} lines: left out")
    if sidecar.suffix == ".info.json":
        cues = _yt_dlp_info(text, sidecar)
    elif sidecar.suffix == ".txt" and not has_times(text):
        cues = _captions(text, sidecar)
    else:
        cues = _subtitles(parse_subtitles(text, sidecar.suffix, _frame_rate(media, sidecar)), sidecar)
    return cues, [] if remark is None else [remark]


def _frame_rate(media: Path, sidecar: Sidecar) -> float:
    """Frames per second of the film, for subtitles that may count them; 0.0 if unknown."""
    if sidecar.suffix not in (".sub", ".txt"):
        return 0.0
    try:
        video = inspect(media).info.video
    except FFmpegMissing:
        raise
    except MediaError:
        return 0.0
    return video.frames_per_second if video else 0.0


def _subtitles(lines: Iterable[Line], sidecar: Sidecar) -> Iterator[Cue]:
    source = _name(sidecar.location.path)
    return (_cue(line, CueKind.SUBTITLE, source, sidecar.language) for line in lines)


def _captions(text: str, sidecar: Sidecar) -> Iterator[Cue]:
    """One caption per line, as in collections of captioned clips."""
    source = _name(sidecar.location.path)
    return (_whole_file_cue(line, CueKind.DESCRIPTION, source) for line in lines_in(text))


def _yt_dlp_info(text: str, sidecar: Sidecar) -> Iterator[Cue]:
    """The metadata that yt-dlp writes with `--write-info-json`."""
    info = parse_json(text)
    if not isinstance(info, dict):
        raise MediaError("not an info.json of yt-dlp: not a JSON object")
    source = _name(sidecar.location.path)
    yield _whole_file_cue(_text(info.get("title")), CueKind.TITLE, source)
    for line in _text(info.get("description")).split("\n"):
        yield _whole_file_cue(line, CueKind.DESCRIPTION, source)
    yield _whole_file_cue(", ".join(_text(tag) for tag in _list(info.get("tags"))), CueKind.DESCRIPTION, source)
    for chapter in _list(info.get("chapters")):
        if isinstance(chapter, dict):
            start, end = _number(chapter.get("start_time"), 0.0), _number(chapter.get("end_time"), math.inf)
            yield _cue(Line(start, end, _text(chapter.get("title"))), CueKind.CHAPTER, source)


def _embedded(metadata: EmbeddedMetadata) -> Iterator[Cue]:
    for tag, text in metadata.tags:
        if (kind := _KIND_OF_TAG.get(tag)) is not None:
            yield from (_whole_file_cue(line, kind, f"tag {tag}") for line in text.split("\n"))
    for chapter in metadata.chapters:
        yield _cue(chapter, CueKind.CHAPTER, "chapters")
    for stream in metadata.streams:
        for line in stream.lines:
            yield _cue(line, CueKind.SUBTITLE, f"stream {stream.index}", stream.language)


def _start_timecode(media: Path) -> float | None:
    return start_seconds(read_timecode(media) or "")


def _clipped(
    cues: Iterable[Cue], duration_seconds: float, timecode: Callable[[], float | None]
) -> tuple[tuple[Cue, ...], tuple[str, ...]]:
    """The cues in [0, duration], clipped to it, sorted by time, without duplicates; and remarks on those left out."""
    listed = [_with_plain_text(cue) for cue in islice(cues, MAX_CUES + 1)]
    if len(listed) > MAX_CUES:
        raise MediaError(f"more than {MAX_CUES:,} cues: all of them left out")
    is_late = any(cue.kind is CueKind.SUBTITLE and 0 < duration_seconds <= cue.start_seconds for cue in listed)
    placed = place(listed, duration_seconds, timecode() if is_late else None)
    clipped = (clip(cue, duration_seconds) for cue in placed.cues if cue.text)
    found = dict.fromkeys(cue for cue in clipped if cue.start_seconds <= cue.end_seconds)
    return tuple(sorted(found, key=lambda cue: (cue.start_seconds, cue.end_seconds))), placed.remarks


def _with_plain_text(cue: Cue) -> Cue:
    """The cue with its text on one line, and of bounded length."""
    text = _encodable(" ".join(cue.text[: 4 * MAX_TEXT_CHARACTERS].split())[:MAX_TEXT_CHARACTERS])
    return cue if text == cue.text else replace(cue, text=text)


def _cue(line: Line, kind: CueKind, source: str, language: str = "") -> Cue:
    return Cue(line.start_seconds, line.end_seconds, line.text, kind, source, language)


def _whole_file_cue(text: str, kind: CueKind, source: str) -> Cue:
    return Cue(0.0, math.inf, text, kind, source)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any, default: float) -> float:
    is_number = isinstance(value, int | float) and abs(value) < 1e12
    return float(value) if is_number else default


def _name(path: Path) -> str:
    return _encodable(path.name)


def _encodable(text: str) -> str:
    """The text with lone surrogates (undecodable bytes of a name) escaped, so that UTF-8 can encode it."""
    return text.encode("utf-8", "backslashreplace").decode()
