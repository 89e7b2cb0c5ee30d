"""The threshold between chance and match, in spreads above chance, estimated from the cohort's scores in a library."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.matching import LogOdds, Matching, Placement

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
large library nearly all of it may match. They are no less than those of normal scores: a model that does not know the
texts of the cohort takes them for one another, and they are few draws of chance."""

DISTANCES = (10.0, 30.0)
"""Spreads between chance and match from which the threshold begins to move to the place for strong models, and at which
it is there. Where matches stand far above chance, confusions do too: with the place of weak models (0.22), sets that
were trained for half an hour (`benchmarks.separation --set`) answer 0.40 to 0.57 of the queries for absent things, with
0.45 0.27 to 0.39; and the calibration error of the starter set falls from 0.05 to 0.03."""

GROWTH_SHARE = 0.6
"""The maxima of chance grow with a library by this share of the growth of normal scores: part of them are confusions,
which more windows do not make worse. At noise 1, 2 and 3 and 100,000 windows of `benchmarks.separation`, 0.84, 0.83 and
0.83 of the queries for present things are answered, and 0.01, 0.12 and 0.20 of the others (in 150 windows 0.89, 0.84
and 0.77, 0.02, 0.10 and 0.18); with 0.75 0.80, 0.78 and 0.77, and 0.00, 0.08 and 0.14."""

EULER = 0.5772156649
"""The mean of a standard Gumbel distribution."""


@dataclass(frozen=True, slots=True)
class Draws:
    """How many scores of a text the maxima are taken over: those `sampled`, and `all` of the library."""

    sampled: int
    all: int


@dataclass(frozen=True, slots=True)
class MatchThreshold:
    """A deviation of `centre` has a probability of 0.5; others follow a logistic function of this `width`."""

    centre: float
    width: float

    @classmethod
    def of_rows(cls, rows: int) -> MatchThreshold:
        """For texts compared with texts: three spreads above the maximum of as many normal scores, approximately.

        Measured on the cues of the generated world (`benchmarks.cues`).
        """
        return cls(math.sqrt(2 * math.log(max(rows, 2))) + 3.0, 1 / 1.2)

    @classmethod
    def between(
        cls,
        chance_maxima: Deviations,
        match_maxima: Deviations,
        draws: Draws,
        matching: Matching,
        placement: Placement,
    ) -> MatchThreshold:
        """Placed between chance and match.

        chance_maxima: The maximum of each text of the cohort over the sampled windows of a library [texts].
        match_maxima: The same over more windows, to see what a match scores.
        """
        normal = expected_maximum(draws.sampled)
        limit = MAX_CHANCE_FACTOR * normal + 0.5
        chance = max(min(float(np.quantile(chance_maxima, CHANCE_QUANTILE)), limit), normal)
        distance = max(float(np.quantile(match_maxima, MATCH_QUANTILE)) - chance - placement.margin, 0.0)
        far_share = placement.share if placement.far_share is None else placement.far_share
        share = float(np.interp(distance, DISTANCES, (placement.share, far_share)))
        centre = max(chance + share * distance, matching.min_threshold)
        growth = GROWTH_SHARE * (expected_maximum(draws.all) - normal)
        return cls(centre + growth, math.hypot(matching.width_share * distance, matching.min_width))

    def corrected(self, log_odds: LogOdds) -> MatchThreshold:
        """The threshold whose probabilities have these log odds, instead of its own."""
        width = self.width / log_odds.slope
        return MatchThreshold(self.centre - log_odds.offset * width, width)

    def probability(self, deviations: npt.NDArray[np.floating]) -> Certainty:
        """The probability that each deviation is a match, of the same shape; NaN stays NaN."""
        exponent = np.clip((deviations - self.centre) / self.width, -80.0, 80.0)
        probability: Certainty = 1 / (1 + np.exp(-exponent))
        return probability


def expected_maximum(count: int) -> float:
    """The expected maximum of `count` standard normal scores (Gumbel's limit); 0 for one."""
    if count < 2:
        return 0.0
    root = math.sqrt(2 * math.log(count))
    return root - (math.log(math.log(count)) + math.log(4 * math.pi)) / (2 * root) + EULER / root
