"""How well clips are found: captions, sounds and phrases asked of all clips together, in one space each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pesearch.evaluation.ground_truth import ClipTruth, JudgedClip
from pesearch.evaluation.metrics import Flags, first_relevant_ranks, recall_at
from pesearch.types import FloatArray, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library


@dataclass(frozen=True, slots=True)
class RetrievalFigures:
    """Shares of queries, 0..1; NaN where nothing could be asked.

    `r1`, `r5` and `r10` count the very clip that a caption was written for among the first 1, 5 and 10;
    `relevant1` counts any clip whose truth holds all that the caption's clip holds in that sense.
    """

    r1: float
    relevant1: float
    r5: float
    r10: float


NOTHING_ASKED = RetrievalFigures(math.nan, math.nan, math.nan, math.nan)


class Recall:
    """The clips' vectors, and the figures of each kind of query over them.

    A clip scores as its best segment does, by the space's own dot product.
    """

    def __init__(self, clips: Sequence[JudgedClip], library: Library, models: ModelSet) -> None:
        self._clips = clips
        self._models = models
        names = {space.name for space in models.spaces}
        self._vectors: dict[SpaceName, list[FloatArray]] = {
            space: [library.vectors(clip.file.id, space).vectors for clip in clips] for space in names
        }

    def captions(
        self, space: SpaceName, caption: Callable[[ClipTruth], str], facts: Callable[[ClipTruth], frozenset[str]]
    ) -> RetrievalFigures:
        """Each clip's caption asks one space."""
        gallery = self._gallery(space)
        asked = [number for number in gallery if caption(self._clips[number].truth)]
        if not asked:
            return NOTHING_ASKED
        queries = self._models.embed_texts([caption(self._clips[number].truth) for number in asked], {space}).of(space)
        held = {number: facts(self._clips[number].truth) for number in gallery}
        return _figures(
            self._scores([one[None] for one in _given(queries)], space, gallery),
            np.array([[other == number for other in gallery] for number in asked]),
            np.array([[held[number] <= held[other] for other in gallery] for number in asked]),
        )

    def sounds(self) -> RetrievalFigures:
        """Each clip's sound asks the video space. Relevant is what shows an object that is heard.

        A sound whose maker no clip shows cannot be answered and is not asked.
        """
        gallery = self._gallery(SpaceName.VIDEO)
        shown = [self._clips[number].truth.shows() for number in gallery]
        asked = [
            number
            for number in gallery
            if len(self._vectors[SpaceName.AUDIO][number])
            and any(self._clips[number].truth.sounding() & objects for objects in shown)
        ]
        if not asked:
            return NOTHING_ASKED
        return _figures(
            self._scores([self._vectors[SpaceName.AUDIO][number] for number in asked], SpaceName.VIDEO, gallery),
            np.array([[other == number for other in gallery] for number in asked]),
            np.array([[bool(self._clips[number].truth.sounding() & objects) for objects in shown] for number in asked]),
        )

    def phrases(self) -> RetrievalFigures:
        """Each different phrase asks the audio space for a clip that says it."""
        gallery = self._gallery(SpaceName.AUDIO)
        says = [{truth.what for truth in self._clips[number].truth.said} for number in gallery]
        spoken = sorted(set().union(*says))
        if not spoken:
            return NOTHING_ASKED
        queries = _given(self._models.embed_texts(spoken, {SpaceName.AUDIO}).audio)
        right = np.array([[phrase in said for said in says] for phrase in spoken])
        return _figures(self._scores([one[None] for one in queries], SpaceName.AUDIO, gallery), right, right)

    def _gallery(self, space: SpaceName) -> list[int]:
        """The clips that have vectors in a space."""
        return [number for number, vectors in enumerate(self._vectors.get(space, ())) if len(vectors)]

    def _scores(
        self, queries: Sequence[FloatArray], space: SpaceName, gallery: Sequence[int]
    ) -> npt.NDArray[np.float64]:
        """[queries, gallery]: the best dot product of a query's vectors with a clip's segments."""
        clips = [self._vectors[space][number] for number in gallery]
        return np.array([[float((query @ vectors.T).max()) for vectors in clips] for query in queries])


def _given(vectors: FloatArray | None) -> FloatArray:
    if vectors is None:
        raise ValueError("the model set gave no vectors for a space that it has")
    return vectors


def _figures(scores: npt.NDArray[np.float64], own: Flags, relevant: Flags) -> RetrievalFigures:
    """Figures from scores [queries, clips] and which clips are the very one, and relevant."""
    ranks = first_relevant_ranks(scores, own)
    return RetrievalFigures(
        r1=recall_at(ranks, 1),
        relevant1=recall_at(first_relevant_ranks(scores, relevant), 1),
        r5=recall_at(ranks, 5),
        r10=recall_at(ranks, 10),
    )
