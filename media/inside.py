"""What is written in a container: text subtitles, chapters and tags, as FFmpeg tells them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import input_url, output_of
from pesearch.media.ffprobe import longest_seconds
from pesearch.media.subtitles import Line, decoded, subtitle_lines

_SUBTITLE_CODECS = (
    "ass ssa subrip mov_text webvtt text eia_608 sami microdvd mpl2 jacosub pjs realtext stl subviewer vplayer"
)
TEXT_CODECS = frozenset(_SUBTITLE_CODECS.split(" "))
"""Subtitles that are text. The others are pictures of it."""

MAX_STREAMS = 64
_MAX_STREAM_BYTES = 32 << 20

_ENTRIES = (
    "format=start_time:format_tags:stream=index,codec_type,codec_name:stream_tags=language"
    ":chapter=start_time,end_time:chapter_tags=title"
)


@dataclass(frozen=True, slots=True)
class SubtitleStream:
    """A stream of text subtitles, by its number in the container. `language` is as told there, or empty."""

    index: int
    language: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Inside:
    """What is written in a container, in seconds of the player's clock; `remarks` say what was left out."""

    tags: Mapping[str, str]
    chapters: tuple[Line, ...]
    streams: tuple[SubtitleStream, ...]
    remarks: tuple[str, ...]


def look_inside(path: Path) -> Inside:
    """Read what is written in a video or audio file; with subtitles in it all of the file is read.

    Errors: MediaError when FFmpeg cannot open it; OSError; FFmpegMissing.
    """
    told = _told(path)
    form = told["format"]
    origin = float(form.get("start_time", 0.0))
    chapters = [
        Line(
            float(each["start_time"]) - origin, float(each["end_time"]) - origin, each.get("tags", {}).get("title", "")
        )
        for each in told.get("chapters", [])
    ]
    streams = [
        each
        for each in told.get("streams", [])
        if each.get("codec_type") == "subtitle" and each.get("codec_name") in TEXT_CODECS
    ]
    read, remarks = _streams(path, streams[:MAX_STREAMS])
    return Inside(form.get("tags", {}), tuple(chapters), read, remarks)


def _told(path: Path) -> dict[str, Any]:
    done = output_of(
        "ffprobe", "-v", "error", "-of", "json", "-show_entries", _ENTRIES, input_url(path),
        timeout_seconds=longest_seconds(path),
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout.decode(errors="replace") or "{}")
    if "format" not in told:
        raise MediaError("FFmpeg cannot open it")
    return told


def _streams(path: Path, streams: Sequence[dict[str, Any]]) -> tuple[tuple[SubtitleStream, ...], tuple[str, ...]]:
    """All streams in one pass over the file, each to a file of its own: FFmpeg makes ASS of every text."""
    if not streams:
        return (), ()
    read, remarks = [], []
    with tempfile.TemporaryDirectory(prefix="pesearch-") as name:
        outputs: list[str | bytes] = []
        for stream in streams:
            target = str(Path(name) / f"{stream['index']}.ass")
            outputs += [
                "-map",
                f"0:{stream['index']}",
                "-c:s",
                "ass",
                "-fs",
                str(_MAX_STREAM_BYTES),
                "-f",
                "ass",
                target,
            ]
        output_of(
            "ffmpeg", "-v", "quiet", "-nostdin", "-i", input_url(path), *outputs, timeout_seconds=longest_seconds(path)
        )
        for stream in streams:
            try:
                text, _ = decoded((Path(name) / f"{stream['index']}.ass").read_bytes())
                lines = subtitle_lines(text, ".ass")
            except (MediaError, OSError) as error:
                remarks.append(f"subtitles of stream {stream['index']} left out: {error}")
                continue
            read.append(SubtitleStream(stream["index"], stream.get("tags", {}).get("language", ""), tuple(lines)))
    return tuple(read), tuple(remarks)
