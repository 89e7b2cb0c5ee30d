"""Metadata embedded in a container: text subtitles, chapters and tags, read with FFmpeg."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import input_url, run_program
from pesearch.media.ffprobe import Section, timeout_for
from pesearch.media.language_tags import primary_language
from pesearch.media.mojibake import restore
from pesearch.media.probe import inspect
from pesearch.media.subtitles import MAX_CUES, Line, parse_subtitles
from pesearch.media.tags import read_tags
from pesearch.media.text_encoding import decode_text, public_name
from pesearch.temporary_folder import TemporaryFolder

_SUBTITLE_CODECS = (
    "ass ssa subrip mov_text webvtt text eia_608 sami microdvd mpl2 jacosub pjs realtext stl subviewer vplayer"
)
TEXT_CODECS = frozenset(_SUBTITLE_CODECS.split(" "))
"""Subtitle codecs that hold text; the others hold pictures."""

MAX_STREAMS = 64
"""Further subtitle streams are ignored."""

_MAX_STREAM_BYTES = 32 << 20
"""A subtitle stream is cut at this size, like a sidecar."""

_MAX_STREAMS_BYTES = 48 << 20
"""Of all subtitle streams of a file together: Matroska may hold them compressed a thousandfold."""

_ANY_ENCODING = ("-sub_charenc_mode", "ignore")
"""Subtitles that are not UTF-8, as they must be in Matroska, are passed on rather than dropped."""


@dataclass(frozen=True, slots=True)
class SubtitleStream:
    """A text subtitle stream. `index` is its number in the container, `language` its language tag or empty."""

    index: int
    language: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class EmbeddedMetadata:
    """Tags, chapters and text subtitles, in seconds on the player's clock; `remarks` say what was left out and why.

    `tags` are pairs of name (lower case, without language) and text: a container may have one of each language.
    """

    tags: tuple[tuple[str, str], ...]
    chapters: tuple[Line, ...]
    streams: tuple[SubtitleStream, ...]
    remarks: tuple[str, ...]


def read_embedded_metadata(path: Path) -> EmbeddedMetadata:
    """Read the embedded metadata of a video or audio file. Subtitles require a pass over the whole file.

    Errors: MediaError when FFmpeg cannot open it; OSError; FFmpegMissing.
    """
    container = inspect(path)
    chapters, streams = [], []
    for section in container.sections:
        if section.name == "chapter":
            chapters.append(_chapter(section, container.origin_seconds))
        elif section.text("codec_type") == "subtitle" and section.text("codec_name") in TEXT_CODECS:
            streams.append(section)
    read, remarks = _streams(path, streams[:MAX_STREAMS])
    tags = read_tags(container)
    if tags.guessed_encoding is not None:
        remarks = (f"tags are not UTF-8: read as {public_name(tags.guessed_encoding)}", *remarks)
    return EmbeddedMetadata(tags.pairs, tuple(_with_restored_titles(chapters)), read, remarks)


def _chapter(section: Section, origin_seconds: float) -> Line:
    start, end = (section.number(field) or 0.0 for field in ("start_time", "end_time"))
    return Line(start - origin_seconds, end - origin_seconds, section.text("tag:title"))


def _with_restored_titles(chapters: Sequence[Line]) -> list[Line]:
    titles, _ = restore([chapter.text for chapter in chapters])
    return [replace(chapter, text=title) for chapter, title in zip(chapters, titles, strict=True)]


def _streams(path: Path, streams: Sequence[Section]) -> tuple[tuple[SubtitleStream, ...], tuple[str, ...]]:
    """All subtitle streams in one pass over the file, each converted to ASS in a temporary file."""
    if not streams:
        return (), ()
    read, remarks, size_bytes = [], [], 0
    with TemporaryFolder() as name:
        outputs: list[str | bytes] = []
        for stream in streams:
            target = str(Path(name) / f"{stream.text('index')}.ass")
            outputs += [
                "-map",
                f"0:{stream.text('index')}",
                "-c:s",
                "ass",
                "-fs",
                str(_MAX_STREAM_BYTES),
                "-f",
                "ass",
                target,
            ]
        run_program(
            "ffmpeg",
            "-v",
            "quiet",
            "-nostdin",
            *_ANY_ENCODING,
            "-i",
            input_url(path),
            *outputs,
            timeout_seconds=timeout_for(path),
        )
        for stream in streams:
            try:
                content = (Path(name) / f"{stream.text('index')}.ass").read_bytes()
                size_bytes += len(content)
                if size_bytes > _MAX_STREAMS_BYTES:
                    raise MediaError(f"the subtitles of one file may have {_MAX_STREAMS_BYTES >> 20} MB")
                text, remark = decode_text(content, primary_language(stream.text("tag:language")))
                del content  # as large as the text
                lines = tuple(parse_subtitles(text, ".ass"))
            except (MediaError, OSError) as error:
                remarks.append(f"subtitles of stream {stream.text('index')} left out: {error}")
                continue
            if remark is not None:
                remarks.append(f"subtitles of stream {stream.text('index')}: {remark}")
            read.append(SubtitleStream(stream.count("index"), stream.text("tag:language"), lines))
            if sum(len(each.lines) for each in read) > MAX_CUES:
                break  # too many for one file: all of them are left out
    return tuple(read), tuple(remarks)
