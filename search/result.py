"""What comes of a question: moments, best first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pesearch.types import Moment

CONFIDENT = 0.5
"""A moment below this is more likely wrong than right: it is no answer, unless all are asked for."""


CALIBRATED = "calibrated"
"""The score kind of probabilities that a moment matches, in this library."""

SIMILARITY = "likeness"
"""The score kind of cosines, where only examples are asked with."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The moments that answer a question, best first; those that score `CONFIDENT` and more are likely to be right.

    `score_kind` says what the moments' scores are: "calibrated", or "likeness" where only examples are asked with.
    """

    query: str
    model: str
    library: Path
    moments: tuple[Moment, ...]
    score_kind: str

    @property
    def is_calibrated(self) -> bool:
        """Whether scores are probabilities; else they are cosines."""
        return self.score_kind == CALIBRATED

    @property
    def confident(self) -> bool:
        """Whether the best moment is likely to be right."""
        return bool(self.matches)

    def is_match(self, moment: Moment) -> bool:
        """Whether a moment is likely to be right."""
        return moment.score >= CONFIDENT

    @property
    def matches(self) -> tuple[Moment, ...]:
        """The moments that are likely to be right: the answer, unless all are asked for."""
        return tuple(moment for moment in self.moments if self.is_match(moment))
