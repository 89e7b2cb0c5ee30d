"""The threshold between chance and match, in spreads above chance, estimated from the cohort's scores in a library."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.matching import Matching

Certainty = npt.NDArray[np.float64]
"""Probabilities of a match, in 0..1."""

Deviations = npt.NDArray[np.float64]
"""Scores in spreads above the chance scores of the same query; NaN where there is no vector."""

CHANCE_QUANTILE = 0.25
"""Quantile of the cohort's maxima that stands for texts that match nothing: three quarters of the cohort may match."""

MATCH_QUANTILE = 0.92
"""Quantile of the cohort's maxima that stands for texts that match: one in twelve must match something."""

MAX_CHANCE_FACTOR = 1.5
"""The maxima of chance exceed those of as many normal scores by this factor at most, whatever the cohort scores: in a
large library nearly all of it may match."""


@dataclass(frozen=True, slots=True)
class MatchThreshold:
    """A deviation of `centre` has a probability of 0.5; others follow a logistic function of this `width`."""

    centre: float
    width: float

    @classmethod
    def of_rows(cls, rows: int) -> MatchThreshold:
        """For texts compared with texts: three spreads above the expected maximum of as many normal scores.

        Measured on the cues of the generated world (`benchmarks.cues`).
        """
        return cls(expected_maximum(rows) + 3.0, 1 / 1.2)

    @classmethod
    def between(
        cls,
        chance_maxima: Deviations,
        match_maxima: Deviations,
        windows: int,
        sampled: int,
        share: float,
        fit: Matching,
    ) -> MatchThreshold:
        """At `share` of the way from chance to match.

        chance_maxima, match_maxima: The maximum of each text of the cohort over `sampled` of the `windows` of a library
            [texts]; and over more, to see what a match scores.
        """
        growth = expected_maximum(windows) - expected_maximum(sampled)
        limit = MAX_CHANCE_FACTOR * expected_maximum(sampled) + 0.5
        chance = min(float(np.quantile(chance_maxima, CHANCE_QUANTILE)), limit)
        match = max(float(np.quantile(match_maxima, MATCH_QUANTILE)), chance + fit.min_separation)
        centre = max(chance + share * (match - chance), fit.min_threshold) + growth
        return cls(centre, math.hypot(fit.width_share * (match - chance), fit.min_width))

    def probability(self, deviations: npt.NDArray[np.floating]) -> Certainty:
        """The probability that each deviation is a match, of the same shape; NaN stays NaN."""
        exponent = np.clip((deviations - self.centre) / self.width, -80.0, 80.0)
        probability: Certainty = 1 / (1 + np.exp(-exponent))
        return probability


def expected_maximum(count: int) -> float:
    """The expected maximum of `count` standard normal scores, approximately."""
    return math.sqrt(2 * math.log(max(count, 2)))
