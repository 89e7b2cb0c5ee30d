"""Times in whole frames at the rates that editing programs know."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from pesearch.export.clip_selection import Selection

DEFAULT_RATE = Fraction(25)
"""Of what has no pictures, or pictures of an unknown rate."""

RATES = tuple(
    Fraction(*pair)
    for pair in (
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1),
    )
)  # fmt: skip
"""The rates that have a timecode (SMPTE ST 12-1 and 12-3, as opentimelineio knows them)."""

_LEAST_RATE, _MOST_RATE = 0.001, 1e6
"""What lies beyond is no rate but a broken header."""

_TOLERANCE = 0.0005
"""Half the way from 29.97 to 30: a measured rate this near is that rate."""


@dataclass(frozen=True, slots=True)
class FrameSpan:
    """A stretch of a file as frames `[first, first + count)` of `total`, at `rate` frames a second."""

    rate: Fraction
    first: int
    count: int
    total: int

    @property
    def end(self) -> int:
        """The first frame after it."""
        return self.first + self.count


def frame_rate(frames_per_second: float | None) -> Fraction:
    """The rate with a timecode that stands for a measured one.

    The nearest of those on whose frames (or every n-th) the measured frames fall: 15 counts as 30, 119.88 as 59.94.
    Where there is none (variable rates), the nearest of all.
    """
    if frames_per_second is None or not _LEAST_RATE < frames_per_second < _MOST_RATE:
        return DEFAULT_RATE
    fitting = [rate for rate in RATES if _is_multiple(float(rate), frames_per_second)]
    return min(fitting or RATES, key=lambda rate: abs(math.log(float(rate) / frames_per_second)))


def rate_of(choice: Selection) -> Fraction:
    """The rate at which the file of a choice is counted."""
    return frame_rate(choice.frames_per_second)


def common_rate(choices: Iterable[Selection]) -> Fraction:
    """The rate that most of the choices with moving pictures have; of equally many the higher."""
    counts = Counter(rate_of(each) for each in choices if each.frames_per_second is not None)
    return max(counts, key=lambda rate: (counts[rate], rate), default=DEFAULT_RATE)


def frame_span(choice: Selection, rate: Fraction | None = None) -> FrameSpan:
    """The stretch of a choice in frames of its file, or of another rate: each end at the nearest frame, at least one
    frame long, inside the file."""
    rate = rate or rate_of(choice)
    start, end = (round(Fraction(seconds) * rate) for seconds in choice.stretch_seconds)
    total = max(round(Fraction(choice.duration_seconds) * rate), 1) if choice.media or choice.is_still else end + 1
    first = min(start, total - 1)
    return FrameSpan(rate, first, max(min(end, total) - first, 1), total)


def rate_text(rate: Fraction) -> str:
    """`25`, `29.97`, `23.976`."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def _is_multiple(one: float, other: float) -> bool:
    ratio = max(one, other) / min(one, other)
    return abs(ratio / round(ratio) - 1) < _TOLERANCE
