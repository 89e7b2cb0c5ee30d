"""Calibrates dot products to certainties in 0..1, and fuses the certainties of several spaces.

Scores of texts, and of sounds that query video, are normalised by `normalization`. Between two media vectors of one
space, the certainty is their cosine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.score.normalization import Certainty, ChanceStats, ScoreNormalizer, ScoreNormalizers
from pesearch.types import FloatArray, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

SOUND_TO_VIDEO_FACTOR = 0.9
"""Factor on certainties of a sound example in the video space: a matching sound ranks above a picture that fits it."""

AGREEMENT_SHARE = 0.1
"""Share of the remaining uncertainty that a second space removes: moments where sound and picture agree rank higher."""


_Value = TypeVar("_Value", float, Certainty)


class Calibration:
    """Calibrates the scores of one query's vectors in one library."""

    def __init__(self, query_vectors: Sequence[QueryVector], normalizers: Mapping[SpaceName, ScoreNormalizer]) -> None:
        """`normalizers` are needed for the spaces of all vectors whose measure is not SIMILARITY."""
        self.query_vectors = query_vectors
        self._normalizers = normalizers
        self._chance_stats: dict[tuple[SpaceName, Measure], ChanceStats] = {}

    def certainties(self, space: SpaceName, vectors: FloatArray) -> tuple[list[int], FloatArray, Certainty]:
        """Compares vectors [n, dim] of a space with the q query vectors of that space.

        Returns the numbers of these query vectors, the dot products float32 [n, q], and the certainties in 0..1 [n, q].
        """
        numbers = [number for number, query in enumerate(self.query_vectors) if query.space == space]
        queries = np.stack([self.query_vectors[number].vector for number in numbers])
        scores = vectors @ queries.T
        certainties = np.zeros(scores.shape)
        for measure in {self.query_vectors[number].measure for number in numbers}:
            columns = [at for at, number in enumerate(numbers) if self.query_vectors[number].measure is measure]
            certainties[:, columns] = self._calibrate(space, measure, queries[columns], vectors, scores[:, columns])
        return numbers, scores, certainties

    def _calibrate(
        self, space: SpaceName, measure: Measure, queries: FloatArray, vectors: FloatArray, scores: FloatArray
    ) -> Certainty:
        if measure is Measure.SIMILARITY:
            lengths = np.outer(np.linalg.norm(vectors, axis=1), np.linalg.norm(queries, axis=1))
            cosines: Certainty = scores.astype(np.float64) / np.maximum(lengths, 1e-12)
            return np.clip(cosines, 0.0, 1.0)
        normalizer, is_text = self._normalizers[space], measure is Measure.TEXT
        if (space, measure) not in self._chance_stats:
            self._chance_stats[space, measure] = normalizer.chance_stats(queries, is_text)
        debiased = normalizer.debias(scores, vectors, is_text)
        probability = normalizer.probability(debiased, self._chance_stats[space, measure])
        return SOUND_TO_VIDEO_FACTOR * probability if measure is Measure.SOUND_TO_VIDEO else probability


def calibration_for(
    library: Library, normalizers: ScoreNormalizers, models: ModelSet, query_vectors: Sequence[QueryVector]
) -> Calibration:
    """A calibration with the normalizers that the query vectors need."""
    spaces = {query.space for query in query_vectors if query.measure is not Measure.SIMILARITY}
    by_space = {space: normalizers.of(library, models, space) for space in spaces}
    available = {space: normalizer for space, normalizer in by_space.items() if normalizer is not None}
    return Calibration(query_vectors, available)


def fuse(certainties: Certainty) -> Certainty:
    """Fuses the certainties of a term, [..., spaces] to [...].

    The maximum counts, since a sound need not be seen (CombMAX of Fox and Shaw, 1994); a second space that agrees
    decides between equals.
    """
    best, second = np.zeros((2, *certainties.shape[:-1]))
    for certainty in np.moveaxis(certainties, -1, 0):
        second = np.maximum(second, np.minimum(best, certainty))
        best = np.maximum(best, certainty)
    return fuse_best_two(best, second)


def fuse_best_two(best: _Value, second: _Value) -> _Value:
    """Fuses the two highest certainties of a term."""
    fused: _Value = best + AGREEMENT_SHARE * (1 - best) * second
    return fused
