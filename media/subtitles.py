"""Parser of subtitle files. The content decides on the format, for names are often wrong; the suffix decides in doubt.

Automatic captions roll up: each repeats the previous line and adds one. Every line is kept once, from its first
appearance until it disappears.
"""

from __future__ import annotations

import html
import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from pesearch.cues import EXPORTED_CHAPTERS
from pesearch.errors import MediaError
from pesearch.media.markup_subtitles import is_sami, is_ttml, read_sami, read_ttml
from pesearch.media.subtitle_blocks import MAX_LINES_PER_CUE, TIMES, read_ass, read_blocks
from pesearch.media.subtitle_lines import line_reader
from pesearch.media.subtitle_times import Entry, lines_in
from pesearch.media.telemetry import is_telemetry
from pesearch.media.transcripts import read_json, read_tsv

_TEXT_SUFFIXES = ".srt .vtt .ass .ssa .sbv .sub .ttml .dfxp .smi .sami .lrc .mpl .mpl2 .scc .stl .json3 .json .tsv"
TEXT_SUFFIXES = tuple(_TEXT_SUFFIXES.split(" "))
"""Suffixes of subtitles and transcripts that are read."""

PICTURE_SUFFIXES = (".sup", ".idx")
"""Suffixes of subtitles that are pictures (Blu-ray, DVD), which are not read."""

OTHER_CONTENT_SUFFIXES = (".json", ".tsv", ".stl")
"""Suffixes of files that are mostly something else (metadata, tables, solids): they may have no subtitles."""

MAX_CUES = 100_000
"""More than a day of subtitles at one a second: a larger file is not a subtitle file."""

MAX_TEXT_CHARACTERS = 8192
"""Longer texts are cut to this length."""

_TOUCHING_SECONDS = 0.25
"""Largest gap between captions that roll up."""

_MARKUP = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>|<[\d:.]{1,20}>")
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_OVERRIDE_IN_SRT = re.compile(r"\{\\[^{}]*\}")
_BREAK = re.compile(r"\\[Nn]|\n|\[br\]")


@dataclass(frozen=True, slots=True)
class Line:
    """A text and its interval in seconds."""

    start_seconds: float
    end_seconds: float
    text: str


def parse_subtitles(text: str, suffix: str, frames_per_second: float = 0.0) -> Iterator[Line]:
    """The lines of a subtitle file or transcript, sorted by time, without markup.

    `suffix` is one of TEXT_SUFFIXES, or `.txt`; `frames_per_second` is that of the film, for formats that count frames;
    0 if unknown. A line that ends before it starts gets a duration of 0; anything but subtitles is skipped. Errors:
    MediaError when there are none, more than MAX_CUES, or telemetry.
    """
    if EXPORTED_CHAPTERS in text[:200]:
        raise MediaError("search results exported by pesearch, not subtitles: left out")
    is_ass = suffix in (".ass", ".ssa") or _looks_like_ass(text)
    entries = read_ass(text) if is_ass else _entries(text, suffix, frames_per_second)
    return lines_of(entries, is_ass)


def lines_of(entries: Iterable[Entry], is_ass: bool = False) -> Iterator[Line]:
    """Timed texts with markup as lines without it, sorted by time.

    All entries are read before it returns, each reduced to its times and clean text: 100,000 take 8 MB and their text,
    their markup may be ten times that. Errors: those of `parse_subtitles`.
    """
    starts, ends, texts = array("d"), array("d"), []
    for start, end, shown in islice(entries, MAX_CUES + 1):
        starts.append(start)
        ends.append(max(start, end))
        texts.append("\n".join(_clean_ass(shown) if is_ass else _clean_html(shown)))
    if not texts:
        raise MediaError("contains no subtitles")
    if is_telemetry(texts):
        raise MediaError("telemetry of a camera or drone (positions, exposure), not speech: left out")
    if len(texts) > MAX_CUES:
        raise MediaError(f"more than {MAX_CUES:,} subtitles: all of them left out")
    order = np.lexsort((ends, starts)).tolist()
    return _merge_rolling((starts[at], ends[at], _take(texts, at).splitlines()) for at in order)


def _take(texts: list[str], at: int) -> str:
    """A text, which the list no longer holds: what is made of it takes as much memory."""
    text, texts[at] = texts[at], ""
    return text


def has_times(text: str) -> bool:
    """Whether it is subtitles with times rather than plain text."""
    lines = text[:20_000].split("\n")
    return any(TIMES.match(line) for line in lines) or line_reader(text) is not None or _looks_like_ass(text)


def _entries(text: str, suffix: str, frames_per_second: float) -> Iterator[Entry]:
    if suffix in (".json", ".json3"):
        return read_json(text)
    if suffix == ".tsv":
        return read_tsv(text)
    if is_ttml(text):
        return read_ttml(text)
    if is_sami(text):
        return read_sami(text)
    if suffix not in (".srt", ".vtt", ".sbv") and (reader := line_reader(text)) is not None:
        return reader(text, frames_per_second)
    if not any(TIMES.match(line) for line in lines_in(text)) and (reader := line_reader(text)) is not None:
        return reader(text, frames_per_second)
    is_web_vtt = text.lstrip().startswith("WEBVTT") or suffix == ".vtt"
    return read_blocks(text, is_web_vtt, is_numbered=not is_web_vtt and suffix != ".sbv")


def _looks_like_ass(text: str) -> bool:
    return "\nDialogue:" in text and "[Events]" in text


def _clean_html(text: str) -> list[str]:
    """The lines of a text without tags, with entities resolved."""
    return _lines(html.unescape(_MARKUP.sub("", _OVERRIDE_IN_SRT.sub("", text))))


def _clean_ass(text: str) -> list[str]:
    return _lines(_OVERRIDE.sub("", text).replace(r"\h", " "))


def _lines(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in _BREAK.split(text[:MAX_TEXT_CHARACTERS]))
    return list(islice(filter(None, lines), MAX_LINES_PER_CUE))


def _merge_rolling(timed: Iterable[tuple[float, float, list[str]]]) -> Iterator[Line]:
    """Each line once: a line that a caption repeats from the previous one only extends that one."""
    shown: list[str] = []
    last: Line | None = None
    for start, end, lines in timed:
        follows = last is not None and start <= last.end_seconds + _TOUCHING_SECONDS
        repeated = _overlap(shown, lines) if follows else 0
        new = lines[repeated:]
        if last is not None and repeated and not new:
            last = Line(last.start_seconds, max(last.end_seconds, end), last.text)
        elif new:
            if last is not None:
                yield last
            last = Line(start, end, " ".join(new))
        shown = lines or shown
    if last is not None:
        yield last


def _overlap(before: list[str], now: list[str]) -> int:
    """How many of the first lines of `now` are the last lines of `before`."""
    max_count = min(len(before), len(now))
    return next((count for count in range(max_count, 0, -1) if before[-count:] == now[:count]), 0)
