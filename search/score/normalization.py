"""What a score means in one library: how far it stands out from what the library's own media score by chance.

The same dot product is a find in one library and chance in another: spaces differ, texts differ, and of a million
windows the best one by chance scores higher than of ten. So a score is compared with what the same query scores on a
sample of that library (the zero normalisation of speaker verification, Reynolds 1997), with the greatest of as many
chance scores as the space has rows as the measure. Its spread is taken below the median, where no match lies.
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
"""What media may well show: a text has to fit better than these usually do."""

SAMPLE_ROWS = 1024
"""So many vectors of a space, evenly spread over the library, stand for all: their median is off by 0.04 spreads."""

SAME_SHARE = 0.05
"""A sample stands for a library until that grows or shrinks by more than this share."""

EVEN, STEEPNESS = 3.0, 1.2
"""A score so many spreads above the greatest that chance gives is as likely as not to be a match, and how fast that
turns. Measured on generated libraries with the starter set (`benchmarks.search`)."""

Certainty = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChanceStats:
    """Where chance scores lie: their median, and the spread below it (a standard deviation, were they normal).

    Both of one query, or of several: float64 [queries].
    """

    median: Certainty
    spread: Certainty

    @classmethod
    def of(cls, scores: npt.NDArray[np.floating]) -> ChanceStats:
        """Of scores [n], or [n, queries]."""
        ordered = np.sort(scores.astype(np.float64), axis=0)
        low, median = (_at_share(ordered, share) for share in (0.16, 0.5))
        return cls(median, median - low)

    def at_least(self, other: ChanceStats) -> ChanceStats:
        """The higher median and the wider spread of both."""
        return ChanceStats(np.maximum(self.median, other.median), np.maximum(self.spread, other.spread))


@dataclass(frozen=True, slots=True)
class ScoreNormalizer:
    """One space of one library: `sample` float32 [n, dim] of its vectors, and how many `rows` it has.

    `words` float32 [m, dim] are EVERYDAY_WORDS as texts of that space, `usual_words` what they score by chance.
    """

    space: SpaceName
    sample: FloatArray
    rows: int
    words: FloatArray
    usual_words: ChanceStats

    @classmethod
    def of(cls, space: SpaceName, sample: FloatArray, rows: int, words: FloatArray) -> ScoreNormalizer:
        """The background that a sample and the everyday words make."""
        made = cls(space, sample, rows, words, ChanceStats(np.array(0.0), np.array(0.0)))
        scores = made.comparable(sample @ words.T, sample, is_text=True)
        return replace(made, usual_words=ChanceStats.of(scores.ravel()))

    def usual(self, queries: FloatArray, is_text: bool) -> ChanceStats:
        """What queries [q, dim] score by chance. A text that scores less than everyday words do on everything is no
        more likely to be there for that: what is usual of them is the least for it."""
        usual = ChanceStats.of(self.comparable(self.sample @ queries.T, self.sample, is_text))
        return usual.at_least(self.usual_words) if is_text else usual

    def comparable(self, scores: FloatArray, vectors: FloatArray, is_text: bool) -> FloatArray:
        """Scores [n, queries] with vectors [n, dim] as they can be compared.

        PE-Core learned no bias: on some frames any text scores high. Of a text the score there is taken in standard
        deviations from the mean of everyday words (the test normalisation of Auckenthaler et al. 2000).
        """
        if self.space is not SpaceName.FRAME or not is_text:
            return scores
        others = vectors @ self.words.T
        mean = others @ np.full((len(self.words), 1), 1 / len(self.words), np.float32)
        others -= mean
        spread = np.sqrt(np.einsum("nw,nw->n", others, others) / len(self.words))[:, None]
        normal: FloatArray = (scores - mean) / np.maximum(spread, 1e-6)
        return normal

    def even(self, usual: ChanceStats) -> Certainty:
        """The scores [queries] that are as likely as not those of a match."""
        scores: Certainty = usual.median + usual.spread * (self._by_chance + EVEN)
        return scores

    @property
    def _by_chance(self) -> float:
        """The greatest of as many normal scores as there are rows, about."""
        return math.sqrt(2 * math.log(max(self.rows, 2)))

    def probability(self, scores: npt.NDArray[np.floating], usual: ChanceStats) -> Certainty:
        """How likely each of the scores [n, queries] is that of a match."""
        deviations = (scores.astype(np.float64) - usual.median) / np.maximum(usual.spread, 1e-6) - self._by_chance
        likely: Certainty = 1 / (1 + np.exp(-np.clip(STEEPNESS * (deviations - EVEN), -80.0, 80.0)))
        return likely


def _at_share(ordered: Certainty, share: float) -> Certainty:
    """The quantile of rising values [n] or [n, queries], straight between two of them."""
    below, rest = divmod(share * (len(ordered) - 1), 1)
    above = min(int(below) + 1, len(ordered) - 1)
    quantile: Certainty = ordered[int(below)] * (1 - rest) + ordered[above] * rest
    return quantile


class ScoreNormalizers:
    """Those of one library, each kept for as long as it stands for what the library holds."""

    def __init__(self) -> None:
        self._held: dict[SpaceName, ScoreNormalizer] = {}

    def of(self, library: Library, models: ModelSet, space: SpaceName) -> ScoreNormalizer | None:
        """The background of a space; None where the space is empty."""
        held, rows = self._held.get(space), library.rows(space)
        if held is not None and abs(rows - held.rows) <= SAME_SHARE * held.rows:
            return held
        words = models.embed_texts(EVERYDAY_WORDS, {space}).of(space)
        if not rows or words is None:
            return None
        self._held[space] = ScoreNormalizer.of(space, library.sample(space, SAMPLE_ROWS), rows, words)
        return self._held[space]


_OF_LIBRARIES: WeakKeyDictionary[Library, ScoreNormalizers] = WeakKeyDictionary()


def score_normalizers(library: Library) -> ScoreNormalizers:
    """Those of an open library."""
    return _OF_LIBRARIES.setdefault(library, ScoreNormalizers())
