"""Normalises scores to probabilities of a match, by how far they stand out from chance scores in the same library.

The same dot product is a match in one library and chance in another: spaces differ, texts differ, and the best of a
million chance scores is higher than the best of ten. A score is therefore compared with those that the same query gets
on a sample of the library (the zero normalisation of speaker verification, Reynolds 1997), relative to the expected
maximum of as many chance scores as the space has rows. The spread is taken below the median, where no match is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from pesearch.types import FloatArray, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

EVERYDAY_WORDS = (
    "person", "crowd", "dog", "cat", "bird", "fish", "flower", "tree", "mountain", "sea", "sky", "sun", "night",
    "street", "car", "train", "boat", "bicycle", "house", "room", "table", "book", "phone", "clock", "food", "ball",
    "drum", "bell", "fire", "rain", "snow", "sign",
)  # fmt: skip
"""Common subjects of media. Their scores are a lower bound of chance for any text."""

SAMPLE_SIZE = 1024
"""Vectors of a space, evenly spaced over the library, that are its chance sample: the median is off by 0.04 spreads."""

MAX_GROWTH_SHARE = 0.05
"""A normalizer is rebuilt once the rows of its space have grown or shrunk by more than this share."""

THRESHOLD_DEVIATIONS = 3.0
"""A score this many spreads above the expected maximum of chance has a probability of 0.5. Measured on generated
libraries with the starter set (`benchmarks.search`)."""

LOGISTIC_SLOPE = 1.2
"""Slope of the logistic function from spreads to probability, measured with THRESHOLD_DEVIATIONS."""

Certainty = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChanceStats:
    """Median of chance scores, and their spread below it: the standard deviation of a normal distribution.

    Scalars for one query, float64 [queries] for several.
    """

    median: Certainty
    spread: Certainty

    @classmethod
    def of(cls, scores: npt.NDArray[np.floating]) -> ChanceStats:
        """The statistics of scores [n] or [n, queries]."""
        ordered = np.sort(scores.astype(np.float64), axis=0)
        low, median = (_quantile(ordered, share) for share in (0.16, 0.5))
        return cls(median, median - low)

    def at_least(self, other: ChanceStats) -> ChanceStats:
        """The higher median and the wider spread of both."""
        return ChanceStats(np.maximum(self.median, other.median), np.maximum(self.spread, other.spread))


@dataclass(frozen=True, slots=True)
class ScoreNormalizer:
    """Normalizer of one space of one library.

    sample: float32 [n, dim], vectors of the space.
    rows: Number of vectors in the space.
    word_vectors: float32 [m, dim], EVERYDAY_WORDS embedded in the space.
    word_stats: Chance scores of the everyday words on the sample.
    """

    space: SpaceName
    sample: FloatArray
    rows: int
    word_vectors: FloatArray
    word_stats: ChanceStats

    @classmethod
    def of(cls, space: SpaceName, sample: FloatArray, rows: int, word_vectors: FloatArray) -> ScoreNormalizer:
        """Builds a normalizer and computes its `word_stats`."""
        unfinished = cls(space, sample, rows, word_vectors, ChanceStats(np.array(0.0), np.array(0.0)))
        scores = unfinished.debias(sample @ word_vectors.T, sample, is_text=True)
        return replace(unfinished, word_stats=ChanceStats.of(scores.ravel()))

    def chance_stats(self, queries: FloatArray, is_text: bool) -> ChanceStats:
        """Chance scores of queries [q, dim] on the sample.

        The `word_stats` are a lower bound for texts: a text that scores low on everything is not more likely to match.
        """
        stats = ChanceStats.of(self.debias(self.sample @ queries.T, self.sample, is_text))
        return stats.at_least(self.word_stats) if is_text else stats

    def debias(self, scores: FloatArray, vectors: FloatArray, is_text: bool) -> FloatArray:
        """Makes scores [n, queries] of texts comparable between frames, given their vectors [n, dim].

        PE-Core learned no bias: on some frames any text scores high. A text's score on a frame is therefore expressed
        in standard deviations from the mean of the everyday words on that frame (the test normalisation of Auckenthaler
        et al. 2000). Scores of other spaces and of other queries are returned unchanged.
        """
        if self.space is not SpaceName.FRAME or not is_text:
            return scores
        word_scores = vectors @ self.word_vectors.T
        mean = word_scores @ np.full((len(self.word_vectors), 1), 1 / len(self.word_vectors), np.float32)
        word_scores -= mean
        spread = np.sqrt(np.einsum("nw,nw->n", word_scores, word_scores) / len(self.word_vectors))[:, None]
        debiased: FloatArray = (scores - mean) / np.maximum(spread, 1e-6)
        return debiased

    def threshold(self, stats: ChanceStats) -> Certainty:
        """The scores [queries] with a probability of 0.5."""
        scores: Certainty = stats.median + stats.spread * (self._chance_maximum + THRESHOLD_DEVIATIONS)
        return scores

    @property
    def _chance_maximum(self) -> float:
        """The expected maximum of as many standard normal scores as there are rows, approximately."""
        return math.sqrt(2 * math.log(max(self.rows, 2)))

    def probability(self, scores: npt.NDArray[np.floating], stats: ChanceStats) -> Certainty:
        """The probability that each of the scores [n, queries] is a match."""
        deviations = (scores.astype(np.float64) - stats.median) / np.maximum(stats.spread, 1e-6) - self._chance_maximum
        exponent = np.clip(LOGISTIC_SLOPE * (deviations - THRESHOLD_DEVIATIONS), -80.0, 80.0)
        probability: Certainty = 1 / (1 + np.exp(-exponent))
        return probability


def _quantile(ordered: Certainty, share: float) -> Certainty:
    """The quantile of sorted values [n] or [n, queries], linearly interpolated."""
    below, rest = divmod(share * (len(ordered) - 1), 1)
    above = min(int(below) + 1, len(ordered) - 1)
    quantile: Certainty = ordered[int(below)] * (1 - rest) + ordered[above] * rest
    return quantile


class ScoreNormalizers:
    """Caches the normalizers of one library, each until the size of its space has changed by MAX_GROWTH_SHARE."""

    def __init__(self) -> None:
        self._cache: dict[SpaceName, ScoreNormalizer] = {}

    def of(self, library: Library, models: ModelSet, space: SpaceName) -> ScoreNormalizer | None:
        """The normalizer of a space; None if the space is empty."""
        cached, rows = self._cache.get(space), library.rows(space)
        if cached is not None and abs(rows - cached.rows) <= MAX_GROWTH_SHARE * cached.rows:
            return cached
        word_vectors = models.embed_texts(EVERYDAY_WORDS, {space}).of(space)
        if not rows or word_vectors is None:
            return None
        self._cache[space] = ScoreNormalizer.of(space, library.sample(space, SAMPLE_SIZE), rows, word_vectors)
        return self._cache[space]


_CACHE: WeakKeyDictionary[Library, ScoreNormalizers] = WeakKeyDictionary()


def score_normalizers(library: Library) -> ScoreNormalizers:
    """The normalizers of an open library, shared by all its searches."""
    return _CACHE.setdefault(library, ScoreNormalizers())
