"""From dot products to certainties in 0..1, and from the spaces of a term to one score.

A text, or a sound that asks for pictures, is as certain as it stands out in the library (`background`). Between two
pieces of media of one space their cosine stands for the likeness.
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

SHOWN_FOR_HEARD = 0.9
"""A picture of what could make a sound speaks less for it than the sound itself does: of the two, that comes first."""

AGREEMENT = 0.1
"""How far the second space lifts what the most certain one leaves open: sound and picture that agree come first."""


_Sure = TypeVar("_Sure", float, Certainty)


class Calibration:
    """How the scores of a question's `probes` are read in one library."""

    def __init__(self, probes: Sequence[QueryVector], score_normalizers: Mapping[SpaceName, ScoreNormalizer]) -> None:
        """`score_normalizers` of the spaces that texts are put to, or sounds that ask for pictures."""
        self.probes = probes
        self._backgrounds = score_normalizers
        self._usual: dict[tuple[SpaceName, Measure], ChanceStats] = {}

    def certainties(self, space: SpaceName, vectors: FloatArray) -> tuple[list[int], FloatArray, Certainty]:
        """How surely vectors [n, dim] of a space answer each probe that is put to it.

        The numbers of these probes, the dot products float32 [n, probes], and the certainties in 0..1 [n, probes].
        """
        numbers = [number for number, probe in enumerate(self.probes) if probe.space == space]
        queries = np.stack([self.probes[number].vector for number in numbers])
        scores = vectors @ queries.T
        sure = np.zeros(scores.shape)
        for measure in {self.probes[number].measure for number in numbers}:
            columns = [at for at, number in enumerate(numbers) if self.probes[number].measure is measure]
            sure[:, columns] = self._certain(space, measure, queries[columns], vectors, scores[:, columns])
        return numbers, scores, sure

    def _certain(
        self, space: SpaceName, measure: Measure, queries: FloatArray, vectors: FloatArray, scores: FloatArray
    ) -> Certainty:
        if measure is Measure.SIMILARITY:
            lengths = np.outer(np.linalg.norm(vectors, axis=1), np.linalg.norm(queries, axis=1))
            cosines: Certainty = scores.astype(np.float64) / np.maximum(lengths, 1e-12)
            return np.clip(cosines, 0.0, 1.0)
        held, is_text = self._backgrounds[space], measure is Measure.TEXT
        if (space, measure) not in self._usual:
            self._usual[space, measure] = held.usual(queries, is_text)
        likely = held.probability(held.comparable(scores, vectors, is_text), self._usual[space, measure])
        return SHOWN_FOR_HEARD * likely if measure is Measure.SOUND_TO_VIDEO else likely


def calibration_for(
    library: Library, held: ScoreNormalizers, models: ModelSet, probes: Sequence[QueryVector]
) -> Calibration:
    """How the scores of these probes are read in this library."""
    spaces = {probe.space for probe in probes if probe.measure is not Measure.SIMILARITY}
    of = {space: held.of(library, models, space) for space in spaces}
    return Calibration(probes, {space: background for space, background in of.items() if background is not None})


def fuse(certainties: Certainty) -> Certainty:
    """How sure one term is, from certainties [..., spaces] to [...].

    It is as certain as in the space that is most certain of it, because what is heard need not be seen (CombMAX of Fox
    and Shaw, 1994); a second space that agrees decides between equals.
    """
    best, second = np.zeros((2, *certainties.shape[:-1]))
    for each in np.moveaxis(certainties, -1, 0):
        second = np.maximum(second, np.minimum(best, each))
        best = np.maximum(best, each)
    return agreed(best, second)


def agreed(best: _Sure, second: _Sure) -> _Sure:
    """How sure a term is by the two spaces that are the most certain of it."""
    sure: _Sure = best + AGREEMENT * (1 - best) * second
    return sure
