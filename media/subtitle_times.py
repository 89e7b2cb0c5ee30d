"""Times of subtitles: `00:00:01,000` and what people write instead of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

Entry = tuple[float, float, str]
"""Start and end of a subtitle in seconds, and its text with markup and line breaks."""

CLOCK = r"(-?)(?:(\d{1,4})\s?[:：]\s?)?(\d{1,2})\s?[:：]\s?(\d{1,2})(?:\s?[.,:;，。]\s?(\d{1,9}))?"
"""Five groups: sign, hours, minutes, seconds and their fraction. Hours and fraction may be missing."""

TIME = re.compile(CLOCK)

LAST_LINE_SECONDS = 5.0
"""Duration of a line for which only the start is known, if no other follows earlier."""


def seconds(found: re.Match[str], first: int = 0) -> float:
    """The time in five groups of a match of CLOCK from `first` on, to the millisecond."""
    sign, hours, minutes, whole, fraction = found.groups()[first : first + 5]
    milliseconds = (int(hours or 0) * 3600 + int(minutes) * 60 + int(whole)) * 1000
    milliseconds += int((fraction or "0")[:3].ljust(3, "0"))
    return (-milliseconds if sign else milliseconds) / 1000


def lines_in(text: str) -> Iterator[str]:
    """The lines of a text, one at a time: a list of them would take more memory than the text."""
    start = 0
    while (end := text.find("\n", start)) != -1:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def with_ends(starts: list[tuple[float, str]]) -> list[Entry]:
    """Lines that last until the next one begins, at most LAST_LINE_SECONDS; sorted by time."""
    ordered = sorted(starts, key=lambda each: each[0])
    following = [start for start, _ in ordered[1:]] + [float("inf")]
    return [
        (start, min(later, start + LAST_LINE_SECONDS), text)
        for (start, text), later in zip(ordered, following, strict=False)
    ]
