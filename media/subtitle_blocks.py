"""Subtitles in blocks: SubRip, WebVTT, YouTube's SBV, SubViewer; and the dialogue lines of (Advanced) SubStation Alpha.

Whoever types such files by hand, and whatever converts them, varies the times: `->` for `-->`, no milliseconds, spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pesearch.media.subtitle_times import CLOCK, TIME, Entry, lines_in, seconds

_ARROW = r"(?:[-–—=]{1,3}\s?(?:>|&gt;){1,2}|→|,)"
TIMES = re.compile(rf"\s{{0,9}}(?:\d{{1,6}}\s{{1,3}})?{CLOCK}\s{{0,9}}{_ARROW}\s{{0,9}}{CLOCK}(?!\d)")
"""A line with two times, maybe after the subtitle's number; ten groups."""

_DRAWING = re.compile(r"\{[^{}]*\\p[1-9]")

_MAX_LINE_CHARACTERS = 20_000
"""Longer lines of a subtitle file are drawings, or not text; they are skipped."""

MAX_LINES_PER_CUE = 100
"""Further lines of one subtitle are skipped."""


def read_blocks(text: str, is_web_vtt: bool, is_numbered: bool) -> Iterator[Entry]:
    """A line with two times, then the text: in WebVTT up to an empty line, else up to the next times.

    The number of the next subtitle, if they are numbered, is no text.
    """
    times: tuple[float, float] | None = None
    shown: list[str] = []
    for line in lines_in(text):
        found = TIMES.match(line)
        if found:
            if times is not None:
                yield *times, "\n".join(_without_number(shown) if is_numbered else shown)
            times, shown = (seconds(found), seconds(found, 5)), []
        elif not line and is_web_vtt:
            if times is not None:
                yield *times, "\n".join(shown)
            times = None
        elif times is not None and len(line) <= _MAX_LINE_CHARACTERS and len(shown) < MAX_LINES_PER_CUE:
            shown.append(line)
    if times is not None:
        yield *times, "\n".join(shown)


def read_ass(text: str) -> Iterator[Entry]:
    """`Dialogue:` and fields in the order given by `Format:`, the text last. Drawings are skipped."""
    order = ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"]
    for line in lines_in(text):
        if len(line) > _MAX_LINE_CHARACTERS:
            continue
        head, _, rest = line.partition(":")
        if head.strip() == "Format":
            order = [name.strip().lower() for name in rest.split(",")]
        elif head.strip() == "Dialogue" and not _DRAWING.search(line):
            fields = dict(zip(order, rest.split(",", len(order) - 1), strict=False))
            start, end = (TIME.match(fields.get(name, "").strip()) for name in ("start", "end"))
            if start and end and "text" in fields:
                yield seconds(start), seconds(end), fields["text"]


def _without_number(lines: list[str]) -> list[str]:
    """The lines without the empty ones at the end, and without the number of the next subtitle after them."""
    count = len(lines)
    while count and not lines[count - 1].strip():
        count -= 1
    if count and lines[count - 1].strip().isdecimal():
        count -= 1
    return lines[:count]
