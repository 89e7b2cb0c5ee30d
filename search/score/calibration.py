"""Calibrates the scores of one query in one library: deviations from chance, and certainties in 0..1.

Scores of texts, and of sounds that query video, are normalised by `normalization`. Between two media vectors of one
space, the certainty is their cosine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.query.language.nodes import Sense
from pesearch.search.query.plan import QueryPlan
from pesearch.search.score.cohort import CohortKind
from pesearch.search.score.hypotheses import Hypothesis, hypothesis_deviations
from pesearch.search.score.library_normalizer import LibraryNormalizer, ScoreNormalizers
from pesearch.search.score.match_threshold import Certainty, Deviations
from pesearch.search.score.normalization import ChanceStats
from pesearch.types import MEDIA_SPACES, FloatArray, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

SOUND_TO_VIDEO_FACTOR = 0.7
"""Factor on certainties of a sound example in the video space: a matching sound, whose certainty is a cosine, ranks
above a picture that fits it."""


@dataclass(frozen=True, slots=True, eq=False)
class CalibratedScores:
    """Scores of vectors [n] of a space with the q query vectors of that space, whose `numbers` these are.

    scores: float32 [n, q], dot products.
    deviations: float64 [n, q]; NaN for queries that are no texts.
    certainties: float64 [n, q], by this space alone.
    """

    numbers: list[int]
    scores: FloatArray
    deviations: Deviations
    certainties: Certainty


class Calibration:
    """Calibrates the scores of one query's vectors in one library."""

    def __init__(
        self, plan: QueryPlan, query_vectors: Sequence[QueryVector], normalizer: LibraryNormalizer | None
    ) -> None:
        """`normalizer` is needed for vectors whose measure is not SIMILARITY."""
        self.query_vectors = query_vectors
        self._plan = plan
        self._normalizer = normalizer
        self._chance_stats: dict[tuple[SpaceName, Measure, CohortKind], ChanceStats] = {}

    def score(self, space: SpaceName, vectors: FloatArray) -> CalibratedScores:
        """Compares vectors [n, dim] of a space with the query vectors of that space."""
        numbers = [number for number, query in enumerate(self.query_vectors) if query.space == space]
        queries = np.stack([self.query_vectors[number].vector for number in numbers])
        scores = vectors @ queries.T
        deviations, certainties = np.full(scores.shape, np.nan), np.zeros(scores.shape)
        groups = [(self.query_vectors[number].measure, self._kind(self.query_vectors[number])) for number in numbers]
        for measure, kind in set(groups):
            at = [column for column, group in enumerate(groups) if group == (measure, kind)]
            if measure is Measure.SIMILARITY:
                certainties[:, at] = _cosines(vectors, queries[at], scores[:, at])
                continue
            found = self._deviations(space, measure, kind, queries[at], vectors, scores[:, at])
            probability = self._library.space_threshold(kind, space).probability(found)
            certainties[:, at] = (SOUND_TO_VIDEO_FACTOR if measure is Measure.SOUND_TO_VIDEO else 1.0) * probability
            if measure is Measure.TEXT:
                deviations[:, at] = found
        return CalibratedScores(numbers, scores, deviations, certainties)

    def combine(self, deviations: Deviations, certainties: Certainty) -> Certainty:
        """The certainty of each hypothesis [windows, terms, hypotheses].

        The threshold is that of the spaces that a window has: in a still fewer agree than in a film with sound.

        deviations: Of texts, [windows, terms, spaces]; NaN where a window has no vector.
        certainties: By single spaces, [windows, terms, spaces]: for terms that are no texts, the best of them counts.
        """
        combined = np.zeros((*certainties.shape[:2], len(Hypothesis)))
        for term in range(certainties.shape[1]):
            spaces = {query.space for query in self._texts_of(term)}
            if not spaces:
                combined[:, term] = _by_space(certainties[:, term])
                continue
            searched = [space in spaces for space in MEDIA_SPACES]
            kind, own = self._kind(self._texts_of(term)[0]), deviations[:, term]
            by_hypothesis, is_scored = hypothesis_deviations(own, searched), ~np.isnan(own) & searched
            which_spaces = is_scored @ (1 << np.arange(len(MEDIA_SPACES)))  # a bit for each
            for which in np.unique(which_spaces[which_spaces > 0]):
                rows = which_spaces == which
                threshold = self._library.threshold(kind, [*compress(MEDIA_SPACES, is_scored[rows.argmax()])])
                combined[rows, term] = np.nan_to_num(threshold.probability(by_hypothesis[rows]), nan=0.0)
        return combined

    @property
    def _library(self) -> LibraryNormalizer:
        if self._normalizer is None:
            raise ValueError("texts need the normalizer of a library")
        return self._normalizer

    def _texts_of(self, term: int) -> list[QueryVector]:
        return [query for query in self.query_vectors if query.term == term and query.measure is Measure.TEXT]

    def _kind(self, query: QueryVector) -> CohortKind:
        return CohortKind.SENTENCES if self._plan.terms[query.term].sense is Sense.SAID else CohortKind.NAMES

    def _deviations(
        self, space: SpaceName, measure: Measure, kind: CohortKind, queries: FloatArray, vectors: FloatArray,
        scores: FloatArray,
    ) -> Deviations:  # fmt: skip
        normalizer, is_text = self._library.of(space), measure is Measure.TEXT
        if (space, measure, kind) not in self._chance_stats:
            self._chance_stats[space, measure, kind] = normalizer.chance_stats(queries, kind if is_text else None)
        debiased = normalizer.debias(scores, vectors) if is_text else scores
        return self._chance_stats[space, measure, kind].deviations(debiased)


def calibration_for(
    library: Library,
    normalizers: ScoreNormalizers,
    models: ModelSet,
    plan: QueryPlan,
    query_vectors: Sequence[QueryVector],
) -> Calibration:
    """A calibration with the normalizer of the library, if the query vectors need one."""
    needed = any(query.measure is not Measure.SIMILARITY for query in query_vectors)
    return Calibration(plan, query_vectors, normalizers.of(library, models) if needed else None)


def _cosines(vectors: FloatArray, queries: FloatArray, scores: FloatArray) -> Certainty:
    lengths = np.outer(np.linalg.norm(vectors, axis=1), np.linalg.norm(queries, axis=1))
    cosines: Certainty = scores.astype(np.float64) / np.maximum(lengths, 1e-12)
    return np.clip(cosines, 0.0, 1.0)


_SINGLE_SPACES = {
    Hypothesis.SEEN: (SpaceName.FRAME, SpaceName.VIDEO),
    Hypothesis.HEARD: (SpaceName.AUDIO,),
    Hypothesis.BOTH: (SpaceName.AUDIO_VIDEO,),
}
"""The spaces whose certainty is that of a hypothesis where spaces are not added up."""


def _by_space(certainties: Certainty) -> Certainty:
    """The certainties of the hypotheses [windows, hypotheses] from those of spaces [windows, spaces]."""
    places = [[MEDIA_SPACES.index(space) for space in _SINGLE_SPACES[hypothesis]] for hypothesis in Hypothesis]
    return np.stack([certainties[:, at].max(axis=1) for at in places], axis=-1)
