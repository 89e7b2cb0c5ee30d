"""Conversion of seconds to whole frames, at the frame rates that have a timecode."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pesearch.export.clip_selection import Selection

DEFAULT_RATE = Fraction(25)
"""Rate of lists without a film, and of files whose rate is unknown."""

RATES = tuple(
    Fraction(*pair)
    for pair in (
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1),
    )
)  # fmt: skip
"""Rates with a timecode (SMPTE ST 12-1 and 12-3), as far as opentimelineio supports them."""

DROP_FRAME_RATES = (Fraction(30000, 1001), Fraction(60000, 1001))
"""Rates whose timecode keeps to the clock by leaving out numbers, unless it is stated as non-drop."""

_DAY_SECONDS = 24 * 3600
"""Timecode starts again from 00:00:00:00 after so many counted seconds: 86,486.4 s of the clock at 23.976."""

_MIN_RATE = 0.001
"""Anything lower comes from a damaged header."""

_MAX_RATE = 1e6
"""Anything higher comes from a damaged header."""

_TOLERANCE = 0.0005
"""Relative difference below which a measured rate counts as a known one: half the gap between 29.97 and 30."""


@dataclass(frozen=True, slots=True)
class FrameSpan:
    """Frames `[first, first + count)` of a file of `total` frames, at `rate` frames per second.

    `origin` is the number that the timecode or time reference of the file gives its first frame.
    """

    rate: Fraction
    first: int
    count: int
    total: int
    origin: int = 0

    @property
    def end(self) -> int:
        """The frame after the last one."""
        return self.first + self.count


@dataclass(frozen=True, slots=True)
class Timebase:
    """How a timeline counts: its frame rate, and whether its timecode is drop-frame."""

    rate: Fraction
    is_drop_frame: bool

    @classmethod
    def of(cls, selections: Sequence[Selection]) -> Timebase:
        """The most common rate; drop-frame at rates that have it, unless most of the timecodes of files are not."""
        rate = common_rate(selections)
        stated = [is_drop_frame(selection.timecode) for selection in selections if selection.timecode]
        return cls(rate, rate in DROP_FRAME_RATES and (not stated or 2 * sum(stated) > len(stated)))


def frame_rate(frames_per_second: float | None) -> Fraction:
    """The timecode rate for a measured one.

    That is the nearest rate that is a multiple or divisor of it (15 becomes 30, 119.88 becomes 59.94), else, for
    variable rates, the nearest of all. DEFAULT_RATE if the measured rate is missing or implausible.
    """
    measured = _plausible(frames_per_second)
    candidates = [rate for rate in RATES if _is_multiple(float(rate), measured)] or RATES
    return min(candidates, key=lambda rate: abs(math.log(float(rate) / measured)))


def _plausible(frames_per_second: float | None) -> float:
    """The measured rate; DEFAULT_RATE if it is missing, or from a damaged header."""
    if frames_per_second is None or not _MIN_RATE < frames_per_second < _MAX_RATE:
        return float(DEFAULT_RATE)
    return frames_per_second


def rate_of(selection: Selection) -> Fraction:
    """The timecode rate of a selection's file."""
    return frame_rate(selection.frames_per_second)


def clip_rate(selection: Selection, list_rate: Fraction) -> Fraction:
    """The rate that a clip is counted at where each has its own: that of its file, and of the list for sound alone."""
    return rate_of(selection) if selection.has_pictures else list_rate


def common_rate(selections: Iterable[Selection]) -> Fraction:
    """The most common rate among the videos, the higher one in a tie; DEFAULT_RATE if there is no video."""
    counts = Counter(rate_of(selection) for selection in selections if selection.frames_per_second is not None)
    return max(counts, key=lambda rate: (counts[rate], rate), default=DEFAULT_RATE)


def frame_span(selection: Selection, rate: Fraction | None = None) -> FrameSpan:
    """The interval in frames at `rate`, by default that of the file: both ends at the nearest frame inside the file,
    at least one frame long."""
    rate = rate or rate_of(selection)
    start, end = (round(Fraction(seconds) * rate) for seconds in selection.interval_seconds)
    has_duration = selection.media or selection.is_still
    total = max(round(Fraction(selection.duration_seconds) * rate), 1) if has_duration else end + 1
    first = min(start, total - 1)
    return FrameSpan(rate, first, max(min(end, total) - first, 1), total, _origin(selection, rate))


def _origin(selection: Selection, rate: Fraction) -> int:
    """The number of the file's first frame: a time reference at the nearest frame, as samples are exact; else by the
    timecode."""
    if (seconds := selection.time_reference_seconds) is not None:
        return round(seconds * rate) % (_DAY_SECONDS * round(rate))
    return frame_number(_at_rate(selection.timecode, selection.frames_per_second, rate), rate)


def is_drop_frame(timecode: str | None) -> bool:
    """Whether a timecode is counted in drop frames: `;` or `.` before its frames."""
    return timecode is not None and timecode.rstrip("0123456789")[-1:] in (";", ".")


def _at_rate(timecode: str | None, frames_per_second: float | None, rate: Fraction) -> str:
    """A timecode of a file in the frames of `rate`.

    Its frames are counted at the rate of the file, 100 and 120 included, or at more where their number shows it (sound
    alone, variable rates). Its clock stays: it is what editors compare, not the time that passed since 00:00:00:00,
    which is 36 s longer at 10:00:00:00 of 23.976 than of 24.
    """
    if not timecode:
        return ""
    *clock, frames = map(int, re.split("[:;.]", timecode))
    nominal = max(round(_plausible(frames_per_second)), frames + 1)
    mark = ";" if is_drop_frame(timecode) and rate in DROP_FRAME_RATES else ":"
    return f"{':'.join(f'{part:02d}' for part in clock)}{mark}{frames * round(rate) // nominal:02d}"


def frame_number(timecode: str, rate: Fraction) -> int:
    """The number of frames from 00:00:00:00 to a timecode (SMPTE ST 12-1); 0 for an empty one."""
    if not timecode:
        return 0
    hours, minutes, seconds, frames = map(int, re.split("[:;.]", timecode))
    minutes += hours * 60
    counted = (minutes * 60 + seconds) * round(rate) + frames
    return counted - _dropped_per_minute(rate) * (minutes - minutes // 10) if is_drop_frame(timecode) else counted


def timecode_text(frame: int, rate: Fraction, *, drop_frame: bool) -> str:
    """The inverse of `frame_number`, which starts again from 00:00:00:00 after 24 hours."""
    dropped = _dropped_per_minute(rate) if drop_frame else 0
    minute, ten_minutes = 60 * round(rate) - dropped, 600 * round(rate) - 9 * dropped
    tens, rest = divmod(frame % (144 * ten_minutes), ten_minutes)
    if dropped:  # the first minute of ten is complete, the others lack their first numbers
        rest += dropped * (max(rest - dropped, 0) // minute)
    seconds, frames = divmod(tens * 600 * round(rate) + rest, round(rate))
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{clock}{';' if drop_frame else ':'}{frames:02d}"


def _dropped_per_minute(rate: Fraction) -> int:
    """The numbers that drop-frame timecode leaves out at the start of a minute, except of each tenth: 2 of 30."""
    return round(rate) // 15 if rate in DROP_FRAME_RATES else 0


def rate_text(rate: Fraction) -> str:
    """The rate as editors write it: `25`, `29.97`, `23.976`."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def _is_multiple(a: float, b: float) -> bool:
    ratio = max(a, b) / min(a, b)
    return abs(ratio / round(ratio) - 1) < _TOLERANCE
