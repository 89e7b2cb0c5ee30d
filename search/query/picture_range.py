"""Conditions on the size and the frame rate of pictures: `1920x1080`, `>=1080p`, `4k`; `25`, `29.97`, `>=50`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from pesearch.errors import QueryError

_SIZE = re.compile(r"(>=|<=|>|<|=)?\s*(?:(\d{1,6})\s*[x×*]\s*(\d{1,6})|(\d{2,5})\s*p|([48])k)", re.IGNORECASE)
_RATE = re.compile(r"(>=|<=|>|<|=)?\s*(\d{1,5}(?:\.\d{1,6})?)(?:\s*fps)?", re.IGNORECASE)
_LINES_PER_K = 540
"""4k has 2160 lines, 8k has 4320."""

_WIDE = 16 / 9
_CINEMA = 16 / 15
"""Films of 4096 x 2160 (DCI 4K) count as 4k: they are by this wider than 16:9."""

_NOMINAL_TOLERANCE = 0.002
"""Relative, for whole numbers: NTSC slows them down by 0.1 % (29.97, 59.94), and the average rates of phones differ by
about as much from the rate that was set (30.02)."""

_EXACT_TOLERANCE = 0.0005
"""Relative, for rates with decimals: 29.97 is 29.97003, and is not 30."""


class Comparison(StrEnum):
    """How a value is compared with the one that is asked for."""

    EQUAL = "="
    AT_LEAST = ">="
    AT_MOST = "<="
    ABOVE = ">"
    BELOW = "<"


@dataclass(frozen=True, slots=True)
class SizeRange:
    """Sizes in pixels, upright or not: of both sides (`long_side` and `short_side`), or by `lines` as in 1080p.

    A picture has as many lines as the frame of 16:9 around it: cropped films (1920x800) and HDV (1440x1080) are 1080p.
    """

    comparison: Comparison
    long_side: int = 0
    short_side: int = 0
    lines: int = 0

    def contains(self, width: int, height: int) -> bool:
        """Whether a picture of this size is meant."""
        long, short = max(width, height), min(width, height)
        if self.lines:
            return self._contains_lines(max(short, long / _WIDE))
        is_equal = (long, short) == (self.long_side, self.short_side)
        if self.comparison is Comparison.EQUAL:
            return is_equal
        if self.comparison in (Comparison.AT_LEAST, Comparison.ABOVE):
            is_inside = long >= self.long_side and short >= self.short_side
        else:
            is_inside = long <= self.long_side and short <= self.short_side
        return is_inside and not (is_equal and self.comparison in (Comparison.ABOVE, Comparison.BELOW))

    def _contains_lines(self, lines: float) -> bool:
        is_equal = any(abs(lines / self.lines - factor) < 0.01 for factor in (1, _CINEMA))
        return _holds(self.comparison, lines, self.lines, is_equal)


@dataclass(frozen=True, slots=True)
class RateRange:
    """Frame rates: a whole number also means the rate that NTSC slows down by 0.1 % (30 is 29.97 too)."""

    comparison: Comparison
    frames_per_second: float

    def contains(self, frames_per_second: float) -> bool:
        """Whether this rate is meant; 0, that of a still image, never is."""
        wanted = self.frames_per_second
        tolerance = _NOMINAL_TOLERANCE if wanted.is_integer() else _EXACT_TOLERANCE
        is_equal = abs(frames_per_second - wanted) <= wanted * tolerance
        return frames_per_second > 0 and _holds(self.comparison, frames_per_second, wanted, is_equal)


def parse_size(text: str) -> SizeRange:
    """Parses `1920x1080`, `1080p`, `4k` or `8k`, each after `>=`, `<=`, `>` or `<` if wanted. Raises QueryError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or not any(int(part) for part in found.groups()[1:] if part):
        raise QueryError(f"{text!r} is not a size: write 1920x1080, 1080p, 4k, or '>=1080p'")
    comparison, width, height, lines, thousands = found.groups()
    if width:
        sides = sorted((int(width), int(height)))
        return SizeRange(Comparison(comparison or "="), sides[1], sides[0])
    return SizeRange(Comparison(comparison or "="), lines=int(lines) if lines else int(thousands) * _LINES_PER_K)


def parse_frame_rate(text: str) -> RateRange:
    """Parses `25` or `29.97`, after `>=`, `<=`, `>` or `<` if wanted. Raises QueryError."""
    found = _RATE.fullmatch(text.strip())
    if found is None or float(found[2]) == 0:
        raise QueryError(f"{text!r} is not a frame rate: write 25, 29.97 or '>=50'")
    return RateRange(Comparison(found[1] or "="), float(found[2]))


def _holds(comparison: Comparison, value: float, wanted: float, is_equal: bool) -> bool:
    match comparison:
        case Comparison.EQUAL:
            return is_equal
        case Comparison.AT_LEAST:
            return is_equal or value >= wanted
        case Comparison.AT_MOST:
            return is_equal or value <= wanted
        case Comparison.ABOVE:
            return value > wanted and not is_equal
        case Comparison.BELOW:
            return value < wanted and not is_equal
