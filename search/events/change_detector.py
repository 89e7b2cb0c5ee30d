"""Onsets and offsets of a sound in the evidence for it: cumulative sums (CUSUM, Page 1954), both ways.

Evidence is positive in steps that speak for the sound, negative in those against it. In its cumulative sum a sound is a
rise and a pause a fall, and rises and falls up to a limit are noise. The spans between the minima and maxima that
remain have the most evidence in total if each span costs the limit. Nothing is smoothed: edges stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Point:
    """The state before step `step`: the sums of all evidence and of all values until then."""

    step: int
    evidence: float
    total: float


class ChangeDetector:
    """Finds the spans of a sound in evidence that is pushed piece by piece, in constant memory."""

    def __init__(self) -> None:
        self._last = Point(0, 0.0, 0.0)
        self._extremum = self._last  # the minimum since the last span, or the maximum since the onset
        self._onset: Point | None = None

    def push(
        self, evidence: npt.NDArray[np.float64], values: npt.NDArray[np.float64], min_change: float
    ) -> list[tuple[Point, Point]]:
        """Adds steps, float64 [n], and returns the spans that are complete, as onset and offset.

        values: Summed up like the evidence, for the mean of a span.
        min_change: Evidence, above 0, that an onset needs, and as much against the sound an offset.
        """
        found: list[tuple[Point, Point]] = []
        last = self._last
        sums, totals = (last.evidence + np.cumsum(evidence)).tolist(), (last.total + np.cumsum(values)).tolist()
        for point in map(Point, range(last.step + 1, last.step + 1 + len(sums)), sums, totals):
            change = point.evidence - self._extremum.evidence
            if self._onset is None:
                if change > min_change:
                    self._onset, self._extremum = self._extremum, point
                elif change <= 0:
                    self._extremum = point
            elif change >= 0:
                self._extremum = point
            elif -change > min_change:
                found.append((self._onset, self._extremum))
                self._onset, self._extremum = None, point
            self._last = point
        return found

    def finish(self) -> list[tuple[Point, Point]]:
        """Returns the span that lasts until the end, if there is one."""
        return [] if self._onset is None else [(self._onset, self._extremum)]
