"""The result of a search: ranked moments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pesearch.damage import DamagedFile
from pesearch.types import Moment

CONFIDENT = 0.5
"""A moment below this score is more likely wrong than right, and is shown only on request."""


CALIBRATED = "calibrated"
"""The score kind of probabilities that a moment matches, in this library."""

SIMILARITY = "likeness"
"""The score kind of cosines, for queries that have examples only."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The moments of a search, best first, including those below CONFIDENT.

    `score_kind` is "calibrated" for probabilities, or "likeness" for cosines, if the query has examples only.
    `is_measured`: Whether the threshold was measured for the model set; if not, users should see the nearest moments.
    `kept_files`: How many files of the library meet the conditions of the request; None if it has none.
    `unread_files`: Files that these conditions leave out only because their dates and places were never read.
    `compared`: How many moments were compared to fold near-equal ones, if there may be more that differ; else None.
    `damaged`: Files of the library whose vectors or sound features were found to be damaged, whether they match or not.
    """

    query: str
    model: str
    library: Path
    moments: tuple[Moment, ...]
    score_kind: str
    is_measured: bool = True
    kept_files: int | None = None
    unread_files: int = 0
    compared: int | None = None
    damaged: tuple[DamagedFile, ...] = ()

    @property
    def is_calibrated(self) -> bool:
        """Whether scores are probabilities; else they are cosines."""
        return self.score_kind == CALIBRATED

    @property
    def confident(self) -> bool:
        """Whether any moment is a match."""
        return bool(self.matches)

    def is_match(self, moment: Moment) -> bool:
        """Whether a moment scores at least CONFIDENT."""
        return moment.score >= CONFIDENT

    @property
    def answer(self) -> tuple[Moment, ...]:
        """The matches; without any, the nearest moments if nobody measured how high a match scores."""
        return self.matches or (() if self.is_measured else self.moments)

    @property
    def matches(self) -> tuple[Moment, ...]:
        """The moments that score at least CONFIDENT, best first."""
        return tuple(moment for moment in self.moments if self.is_match(moment))
