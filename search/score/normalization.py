"""Normalises scores: how many spreads they stand above the chance scores of the same query in the same library.

The same dot product is a match in one library and chance in another: spaces differ, texts differ. A score is therefore
compared with those that the query gets on a sample of the library's windows (the zero normalisation of speaker
verification, Reynolds 1997). The spread is taken below the median, where no match is. Where most windows match a text,
its median is no chance score either: it is bounded by those of the cohort.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.search.score.cohort import COHORT_SLICES, THINGS, CohortKind
from pesearch.search.score.match_threshold import Deviations
from pesearch.search.score.window_pooling import WindowRows, top_quarter_mean
from pesearch.types import FloatArray, SpaceName

PRIOR_WINDOWS = 8
"""The statistics of a text on few windows are averaged with those of the cohort, which count as this many windows."""

MAX_MEDIAN_SPREADS = 4.0
"""The median of a text is at most this many spreads of the cohort's medians above their median."""

MAX_SPREAD_FACTOR = 3.0
"""The spread of a text is at most this many times the median spread of the cohort."""


@dataclass(frozen=True, slots=True)
class ChanceStats:
    """Median of chance scores, and their spread below it: the standard deviation of a normal distribution.

    Scalars for one query, float64 [queries] for several.
    """

    median: Deviations
    spread: Deviations

    @classmethod
    def of(cls, scores: npt.NDArray[np.floating]) -> ChanceStats:
        """The statistics of scores [n] or [n, queries]."""
        low, median = _quantiles(scores.astype(np.float64), (0.16, 0.5))
        return cls(median, median - low)

    def at_least(self, other: ChanceStats) -> ChanceStats:
        """The higher median and the wider spread of both."""
        return ChanceStats(np.maximum(self.median, other.median), np.maximum(self.spread, other.spread))

    def deviations(self, scores: npt.NDArray[np.floating]) -> Deviations:
        """Scores [n, queries] in spreads above the median."""
        deviations: Deviations = (scores.astype(np.float64) - self.median) / np.maximum(self.spread, 1e-6)
        return deviations


@dataclass(frozen=True, slots=True)
class CohortStats:
    """Bounds of the statistics of a text, from those of the cohort on the same `windows`.

    median, spread: Medians of the cohort's medians and spreads.
    median_spread: Spread of the cohort's medians.
    pooled_spread: Spread of all scores of the cohort.
    """

    median: float
    spread: float
    median_spread: float
    pooled_spread: float
    windows: int

    @classmethod
    def of(cls, scores: npt.NDArray[np.floating]) -> CohortStats:
        """The statistics of the cohort's scores [windows, texts]."""
        each, pooled = ChanceStats.of(scores), ChanceStats.of(scores.ravel())
        median = float(np.median(each.median))
        upper = float(np.quantile(each.median, 0.84)) - median
        return cls(median, float(np.median(each.spread)), max(upper, 1e-9), float(pooled.spread), len(scores))

    def bound(self, stats: ChanceStats) -> ChanceStats:
        """The statistics of texts on the same windows, moved towards the cohort's and into their bounds.

        A text that scores low on everything is not more likely to match: the cohort's medians are lower bounds.
        """
        prior = PRIOR_WINDOWS / (self.windows + PRIOR_WINDOWS)
        typical = np.sqrt((1 - prior) * self.spread**2 + prior * self.pooled_spread**2)
        median = (1 - prior) * stats.median + prior * self.median
        spread = np.sqrt((1 - prior) * stats.spread**2 + prior * self.pooled_spread**2)
        highest = self.median + MAX_MEDIAN_SPREADS * self.median_spread
        return ChanceStats(np.clip(median, self.median, highest), np.clip(spread, typical, MAX_SPREAD_FACTOR * typical))


class SpaceNormalizer:
    """Normalizer of one space of one library."""

    def __init__(self, space: SpaceName, vectors: FloatArray, rows: WindowRows, cohort: FloatArray) -> None:
        """vectors: float32 [n, dim], those of sampled windows; rows: those of each window, some of which may have none.

        cohort: float32 [COHORT, dim].
        """
        self.space = space
        self._vectors, self._rows = vectors, rows.with_rows()
        things = cohort[: len(THINGS)]
        self._mean_thing = things.mean(axis=0, keepdims=True)
        self._centred_things = things - self._mean_thing
        self._bias = self._bias_of(vectors)
        self.cohort_scores = self._pooled_scores(cohort)
        self._bounds: Mapping[CohortKind, CohortStats] = {
            kind: CohortStats.of(self.cohort_scores[:, part]) for kind, part in COHORT_SLICES.items()
        }

    def chance_stats(self, queries: FloatArray, kind: CohortKind | None) -> ChanceStats:
        """Chance scores of queries [q, dim]: texts, bounded by the cohort of this `kind`; or media (None)."""
        if kind is None:
            return ChanceStats.of(top_quarter_mean(self._vectors @ queries.T, self._rows))
        return self._bounds[kind].bound(ChanceStats.of(self._pooled_scores(queries)))

    def cohort_deviations(self, kind: CohortKind) -> Deviations:
        """The deviations of the cohort's texts of a kind in the sampled windows with vectors, [windows, texts]."""
        scores = self.cohort_scores[:, COHORT_SLICES[kind]]
        return self._bounds[kind].bound(ChanceStats.of(scores)).deviations(scores)

    def debias(self, scores: FloatArray, vectors: FloatArray) -> FloatArray:
        """Makes scores [n, queries] of texts comparable between frames, given their vectors [n, dim].

        PE-Core learned no bias: on some frames any text scores high. A text's score on a frame is therefore expressed
        in standard deviations from the mean of everyday things on that frame (the test normalisation of Auckenthaler
        et al. 2000). Scores of other spaces are returned unchanged.
        """
        bias = self._bias_of(vectors)
        return scores if bias is None else bias.remove(scores)

    def _bias_of(self, vectors: FloatArray) -> _FrameBias | None:
        if self.space is not SpaceName.FRAME:
            return None
        return _FrameBias.of(vectors @ self._mean_thing.T, vectors @ self._centred_things.T)

    def _pooled_scores(self, texts: FloatArray) -> Deviations:
        """The scores of texts [t, dim] in each sampled window, [windows, t]."""
        scores = self._vectors @ texts.T
        return top_quarter_mean(scores if self._bias is None else self._bias.remove(scores), self._rows)


@dataclass(frozen=True, slots=True, eq=False)
class _FrameBias:
    """Mean and standard deviation of the scores of everyday things on each frame, float32 [n, 1]."""

    mean: FloatArray
    spread: FloatArray

    @classmethod
    def of(cls, mean: FloatArray, centred: FloatArray) -> _FrameBias:
        """The bias of frames with a `mean` score of things [n, 1] and deviations `centred` from it [n, things]."""
        spread = np.sqrt(np.einsum("nt,nt->n", centred, centred) / centred.shape[1])[:, None]
        return cls(mean, np.maximum(spread, 1e-6))

    def remove(self, scores: FloatArray) -> FloatArray:
        """Scores [n, queries] in standard deviations from the mean."""
        debiased: FloatArray = (scores - self.mean) / self.spread
        return debiased


def _quantiles(values: Deviations, shares: Sequence[float]) -> list[Deviations]:
    """Quantiles of values [n] or [n, queries], linearly interpolated."""
    last = len(values) - 1
    places = [divmod(share * last, 1) for share in shares]
    around = {min(int(below) + step, last) for below, _ in places for step in (0, 1)}
    ordered = np.partition(values, sorted(around), axis=0)
    return [
        ordered[int(below)] + rest * (ordered[min(int(below) + 1, last)] - ordered[int(below)])
        for below, rest in places
    ]
