"""Subtitle files as cues: their encodings, formats and markup, and captions that roll.

Captions that were made by a machine roll: each shows the line before once more and adds one. Every line is kept once,
from when it first appears until it goes.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pesearch.errors import MediaError

MAX_CUES = 100_000
"""A day of subtitles has fewer, at one a second: more is no subtitle file."""

MAX_TEXT_CHARACTERS = 8192
"""A longer line of text is cut here."""

_TOUCHING_SECONDS = 0.25
"""Captions roll when one follows the other so closely."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_MARKUP = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>|<[\d:.]{1,20}>")
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_OVERRIDE_IN_SRT = re.compile(r"\{\\[^{}]*\}")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9]")
_CLOCK = r"(-?)(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIME = re.compile(_CLOCK)
_TIMES = re.compile(rf"\s{{0,9}}{_CLOCK}\s{{0,9}}-->\s{{0,9}}{_CLOCK}")
_BREAK = re.compile(r"\\[Nn]|\n")
_LONGEST_LINE = 20_000
_MOST_LINES = 100
"""Longer lines of a subtitle file, and more lines shown at once, are drawings, or no text."""


@dataclass(frozen=True, slots=True)
class Line:
    """A text and when it is shown, in seconds."""

    start_seconds: float
    end_seconds: float
    text: str


def decode_text(content: bytes) -> tuple[str, str | None]:
    """Text of unknown encoding, and a remark where its encoding is a guess. Errors: MediaError when it is no text."""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text, remark = content.decode(encoding), None
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise MediaError("its text is damaged: it is not the Unicode that it begins with") from error
        text, remark = _in_windows_encoding(content), "is not UTF-8: read as Windows-1252"
    if "\0" in text:
        raise MediaError("no text: its content is binary")
    return text.replace("\r\n", "\n").replace("\r", "\n"), remark


def parse_subtitles(text: str, form: str) -> list[Line]:
    """The lines of a subtitle file (`.srt`, `.vtt`, `.ass` or `.ssa`) in the order of time, without markup.

    A line that ends before it starts is shown for a moment; what is not a subtitle is passed over. Errors: MediaError
    when nothing in it is one.
    """
    is_ass = form in (".ass", ".ssa")
    found: list[tuple[float, float, list[str]]] = []
    for start, end, shown in _in_ass(text) if is_ass else _in_blocks(text, form):
        if len(found) == MAX_CUES:
            raise MediaError(f"more than {MAX_CUES:,} subtitles: more than is read")
        found.append((start, max(start, end), _clean_ass(shown) if is_ass else _clean_html(shown)))
    if not found:
        raise MediaError("holds no subtitles")
    return list(_unrolled(sorted(found, key=lambda each: each[:2])))


def _in_blocks(text: str, form: str) -> Iterator[tuple[float, float, str]]:
    """SubRip and WebVTT: a line with two times, then what is shown until an empty line.

    In SubRip an empty line may be a part of it: there it ends before the number of the next.
    """
    times: tuple[float, float] | None = None
    shown: list[str] = []
    for line in text.split("\n"):
        found = _TIMES.match(line)
        if found:
            if times is not None:
                yield *times, _without_number(shown) if form == ".srt" else "\n".join(shown)
            times, shown = (_seconds(found, 0), _seconds(found, 5)), []
        elif not line and form == ".vtt":
            if times is not None:
                yield *times, "\n".join(shown)
            times = None
        elif times is not None and len(line) <= _LONGEST_LINE and len(shown) < _MOST_LINES:
            shown.append(line)
    if times is not None:
        yield *times, "\n".join(shown)


def _without_number(lines: list[str]) -> str:
    return "\n".join(lines[:-1] if lines and lines[-1].strip().isdecimal() else lines)


def _in_ass(text: str) -> Iterator[tuple[float, float, str]]:
    """(Advanced) SubStation Alpha: `Dialogue:` and fields in the order that `Format:` tells, the text last.

    Drawings are none.
    """
    order = ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"]
    for line in text.split("\n"):
        head, _, rest = line.partition(":")
        if head.strip() == "Format":
            order = [name.strip().lower() for name in rest.split(",")]
        elif head.strip() == "Dialogue" and len(line) <= _LONGEST_LINE and not _DRAWING.search(line):
            fields = dict(zip(order, rest.split(",", len(order) - 1), strict=False))
            start, end = (_TIME.match(fields.get(name, "").strip()) for name in ("start", "end"))
            if start and end and "text" in fields:
                yield _seconds(start, 0), _seconds(end, 0), fields["text"]


def _seconds(found: re.Match[str], first: int) -> float:
    """The time in five groups of a match from the first on: sign, hours, minutes, seconds and their fraction."""
    sign, hours, minutes, seconds, fraction = found.groups()[first : first + 5]
    milliseconds = (int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))
    return (-milliseconds if sign else milliseconds) / 1000


def _in_windows_encoding(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise MediaError("no text: of no encoding that is known here") from error


def _clean_html(text: str) -> list[str]:
    """The lines of a text, without tags, entities resolved."""
    return _lines(html.unescape(_MARKUP.sub("", _OVERRIDE_IN_SRT.sub("", text))))


def _clean_ass(text: str) -> list[str]:
    return _lines(_OVERRIDE.sub("", text).replace(r"\h", " "))


def _lines(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in _BREAK.split(text[:MAX_TEXT_CHARACTERS]))
    return [line for line in lines if line]


def _unrolled(timed: Iterable[tuple[float, float, list[str]]]) -> Iterator[Line]:
    """Each line once: what a caption repeats of the one before only lengthens that one."""
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
    """How many of the first lines are the last ones of before."""
    longest = min(len(before), len(now))
    return next((count for count in range(longest, 0, -1) if before[-count:] == now[:count]), 0)
