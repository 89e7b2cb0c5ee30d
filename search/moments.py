"""Stretches of a file that answer, merged where they overlap in time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pesearch.types import Hit


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of one file with a fused score in 0..1 and the hits that speak for it. A still image is `0..0`."""

    file_id: int
    start_seconds: float
    end_seconds: float
    score: float
    evidence: frozenset[Hit]

    def overlaps(self, other: Stretch) -> bool:
        """Whether both share time in one file; two that only touch do not, the same instant twice does."""
        if self.file_id != other.file_id:
            return False
        if (self.start_seconds, self.end_seconds) == (other.start_seconds, other.end_seconds):
            return True
        return self.start_seconds < other.end_seconds and other.start_seconds < self.end_seconds

    def joined(self, other: Stretch) -> Stretch:
        """Both as one: from the earlier start to the later end, with the better score and all evidence."""
        return Stretch(
            file_id=self.file_id,
            start_seconds=min(self.start_seconds, other.start_seconds),
            end_seconds=max(self.end_seconds, other.end_seconds),
            score=max(self.score, other.score),
            evidence=self.evidence | other.evidence,
        )


def merge(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Joins what overlaps, so that no two of the result do; best score first.

    The result does not depend on the order given, and merging it again changes nothing.
    """
    merged: list[Stretch] = []
    for stretch in sorted(stretches, key=lambda one: (one.file_id, one.start_seconds, one.end_seconds)):
        if merged and merged[-1].overlaps(stretch):
            merged[-1] = merged[-1].joined(stretch)
        else:
            merged.append(stretch)
    return sorted(merged, key=best_first)


def best_first(stretch: Stretch) -> tuple[float, int, float]:
    """Sort key: the better score, then a fixed order, so that equal scores rank the same each time."""
    return (-stretch.score, stretch.file_id, stretch.start_seconds)
