"""Parser of subtitle files: SubRip, WebVTT and (Advanced) SubStation Alpha.

Automatic captions roll up: each repeats the previous line and adds one. Every line is kept once, from its first
appearance until it disappears.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pesearch.errors import MediaError

MAX_CUES = 100_000
"""More than a day of subtitles at one a second: a larger file is not a subtitle file."""

MAX_TEXT_CHARACTERS = 8192
"""Longer texts are cut to this length."""

_TOUCHING_SECONDS = 0.25
"""Largest gap between captions that roll up."""

_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_MARKUP = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>|<[\d:.]{1,20}>")
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_OVERRIDE_IN_SRT = re.compile(r"\{\\[^{}]*\}")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9]")
_CLOCK = r"(-?)(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIME = re.compile(_CLOCK)
_TIMES = re.compile(rf"\s{{0,9}}{_CLOCK}\s{{0,9}}-->\s{{0,9}}{_CLOCK}")
_BREAK = re.compile(r"\\[Nn]|\n")

_MAX_LINE_CHARACTERS = 20_000
"""Longer lines of a subtitle file are drawings, or not text; they are skipped."""

_MAX_LINES_PER_CUE = 100
"""Further lines of one subtitle are skipped."""


@dataclass(frozen=True, slots=True)
class Line:
    """A text and its interval in seconds."""

    start_seconds: float
    end_seconds: float
    text: str


def decode_text(content: bytes) -> tuple[str, str | None]:
    """Decoded text with line ends normalised, and a remark if the encoding was guessed. Errors: MediaError."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    try:
        text, remark = content.decode(encoding), None
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise MediaError("damaged text: it does not match its Unicode byte order mark") from error
        text, remark = _in_windows_encoding(content), "not UTF-8: read as Windows-1252"
    if "\0" in text:
        raise MediaError("not text: its content is binary")
    return text.replace("\r\n", "\n").replace("\r", "\n"), remark


def parse_subtitles(text: str, suffix: str) -> list[Line]:
    """The lines of a subtitle file (`.srt`, `.vtt`, `.ass` or `.ssa`) sorted by time, without markup.

    A line that ends before it starts gets a duration of 0; anything but subtitles is skipped. Errors: MediaError when
    there are none, or more than MAX_CUES.
    """
    is_ass = suffix in (".ass", ".ssa")
    found: list[tuple[float, float, list[str]]] = []
    for start, end, shown in _in_ass(text) if is_ass else _in_blocks(text, suffix):
        if len(found) == MAX_CUES:
            raise MediaError(f"more than {MAX_CUES:,} subtitles: all of them left out")
        found.append((start, max(start, end), _clean_ass(shown) if is_ass else _clean_html(shown)))
    if not found:
        raise MediaError("contains no subtitles")
    return list(_merge_rolling(sorted(found, key=lambda each: each[:2])))


def _in_blocks(text: str, suffix: str) -> Iterator[tuple[float, float, str]]:
    """SubRip and WebVTT: a line with two times, then the text up to an empty line.

    In SubRip the text may contain empty lines: there it ends before the number of the next subtitle.
    """
    times: tuple[float, float] | None = None
    shown: list[str] = []
    for line in text.split("\n"):
        found = _TIMES.match(line)
        if found:
            if times is not None:
                yield *times, _without_number(shown) if suffix == ".srt" else "\n".join(shown)
            times, shown = (_seconds(found, 0), _seconds(found, 5)), []
        elif not line and suffix == ".vtt":
            if times is not None:
                yield *times, "\n".join(shown)
            times = None
        elif times is not None and len(line) <= _MAX_LINE_CHARACTERS and len(shown) < _MAX_LINES_PER_CUE:
            shown.append(line)
    if times is not None:
        yield *times, "\n".join(shown)


def _without_number(lines: list[str]) -> str:
    return "\n".join(lines[:-1] if lines and lines[-1].strip().isdecimal() else lines)


def _in_ass(text: str) -> Iterator[tuple[float, float, str]]:
    """(Advanced) SubStation Alpha: `Dialogue:` and fields in the order given by `Format:`, the text last.

    Drawings are skipped.
    """
    order = ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"]
    for line in text.split("\n"):
        head, _, rest = line.partition(":")
        if head.strip() == "Format":
            order = [name.strip().lower() for name in rest.split(",")]
        elif head.strip() == "Dialogue" and len(line) <= _MAX_LINE_CHARACTERS and not _DRAWING.search(line):
            fields = dict(zip(order, rest.split(",", len(order) - 1), strict=False))
            start, end = (_TIME.match(fields.get(name, "").strip()) for name in ("start", "end"))
            if start and end and "text" in fields:
                yield _seconds(start, 0), _seconds(end, 0), fields["text"]


def _seconds(found: re.Match[str], first: int) -> float:
    """The time in five groups of a match from `first` on: sign, hours, minutes, seconds and their fraction."""
    sign, hours, minutes, seconds, fraction = found.groups()[first : first + 5]
    milliseconds = (int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))
    return (-milliseconds if sign else milliseconds) / 1000


def _in_windows_encoding(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise MediaError("not text: unknown encoding") from error


def _clean_html(text: str) -> list[str]:
    """The lines of a text without tags, with entities resolved."""
    return _lines(html.unescape(_MARKUP.sub("", _OVERRIDE_IN_SRT.sub("", text))))


def _clean_ass(text: str) -> list[str]:
    return _lines(_OVERRIDE.sub("", text).replace(r"\h", " "))


def _lines(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in _BREAK.split(text[:MAX_TEXT_CHARACTERS]))
    return [line for line in lines if line]


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
