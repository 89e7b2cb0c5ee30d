"""An interval of a file that matches a term or a part of a plan."""

from __future__ import annotations

import math
from dataclasses import dataclass

MIN_SCORE = 1e-9
"""Lower scores count as this one in a geometric mean."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A time range of one file that matches with a score in 0..1.

    weight: The summed weight of the terms that it matches.
    is_everywhere: The match describes the whole file, such as its title, and not a time in it.
    """

    start_seconds: float
    end_seconds: float
    score: float
    weight: float = 1.0
    is_everywhere: bool = False

    def gap(self, other: Interval) -> float:
        """Seconds between two intervals; negative if they overlap."""
        return max(other.start_seconds - self.end_seconds, self.start_seconds - other.end_seconds)

    def overlaps(self, other: Interval) -> bool:
        """Whether two intervals overlap. Touching is not overlapping; equal intervals of zero length do overlap."""
        if (self.start_seconds, self.end_seconds) == (other.start_seconds, other.end_seconds):
            return True
        return self.gap(other) < 0

    def join(self, other: Interval, factor: float = 1.0) -> Interval:
        """From the earlier start to the later end, with the weighted mean of both scores multiplied by `factor`."""
        weight = self.weight + other.weight
        logs = self.weight * math.log(max(self.score, MIN_SCORE)) + other.weight * math.log(max(other.score, MIN_SCORE))
        a = other if self.is_everywhere and not other.is_everywhere else self
        b = self if other.is_everywhere and not self.is_everywhere else other
        return Interval(
            min(a.start_seconds, b.start_seconds),
            max(a.end_seconds, b.end_seconds),
            factor * math.exp(logs / weight),
            weight,
            self.is_everywhere and other.is_everywhere,
        )


def rank_key(interval: Interval) -> tuple[float, float, float]:
    """Sort key: higher score first, then the shorter, then the earlier interval."""
    return (-interval.score, interval.end_seconds - interval.start_seconds, interval.start_seconds)


def times_of(interval: Interval) -> tuple[float, float]:
    """Start and end in seconds."""
    return interval.start_seconds, interval.end_seconds
