"""Retrieval over annotated clips: captions, sounds and phrases as queries, each in one embedding space."""

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
class RetrievalMetrics:
    """Recall of queries, 0..1; NaN without queries.

    `r1`, `r5` and `r10` are recall at 1, 5 and 10 of the clip that the caption was written for. `relevant1` is recall
    at 1 of any relevant clip: one for which all facts of the caption's clip are true, in the queried sense.
    """

    r1: float
    relevant1: float
    r5: float
    r10: float


NO_QUERIES = RetrievalMetrics(math.nan, math.nan, math.nan, math.nan)


class Recall:
    """The vectors of all clips, and the metrics of each kind of query over them.

    The score of a clip is the highest dot product of any of its segments.
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
    ) -> RetrievalMetrics:
        """Query one space with the caption of each clip."""
        gallery = self._gallery(space)
        query_clips = [number for number in gallery if caption(self._clips[number].truth)]
        if not query_clips:
            return NO_QUERIES
        captions = [caption(self._clips[number].truth) for number in query_clips]
        queries = self._models.embed_texts(captions, {space}).of(space)
        facts_by_clip = {number: facts(self._clips[number].truth) for number in gallery}
        return _metrics(
            self._scores([vector[None] for vector in _required(queries)], space, gallery),
            np.array([[other == number for other in gallery] for number in query_clips]),
            np.array([[facts_by_clip[number] <= facts_by_clip[other] for other in gallery] for number in query_clips]),
        )

    def sounds(self) -> RetrievalMetrics:
        """Query the video space with the sound of each clip. Relevant clips show an object that is heard.

        Sounds whose source is visible in no clip are left out.
        """
        gallery = self._gallery(SpaceName.VIDEO)
        visible = [self._clips[number].truth.visible_objects() for number in gallery]
        sources = {number: self._clips[number].truth.sound_sources() for number in gallery}
        query_clips = [
            number
            for number in gallery
            if len(self._vectors[SpaceName.AUDIO][number]) and any(sources[number] & objects for objects in visible)
        ]
        if not query_clips:
            return NO_QUERIES
        return _metrics(
            self._scores([self._vectors[SpaceName.AUDIO][number] for number in query_clips], SpaceName.VIDEO, gallery),
            np.array([[other == number for other in gallery] for number in query_clips]),
            np.array([[bool(sources[number] & objects) for objects in visible] for number in query_clips]),
        )

    def phrases(self) -> RetrievalMetrics:
        """Query the audio space with each distinct phrase. Relevant clips are those in which it is spoken."""
        gallery = self._gallery(SpaceName.AUDIO)
        phrases_by_clip = [{truth.what for truth in self._clips[number].truth.said} for number in gallery]
        spoken = sorted(set().union(*phrases_by_clip))
        if not spoken:
            return NO_QUERIES
        queries = _required(self._models.embed_texts(spoken, {SpaceName.AUDIO}).audio)
        relevant = np.array([[phrase in phrases for phrases in phrases_by_clip] for phrase in spoken])
        scores = self._scores([vector[None] for vector in queries], SpaceName.AUDIO, gallery)
        return _metrics(scores, relevant, relevant)

    def _gallery(self, space: SpaceName) -> list[int]:
        """Indexes of the clips that have vectors in a space."""
        return [number for number, vectors in enumerate(self._vectors.get(space, ())) if len(vectors)]

    def _scores(
        self, queries: Sequence[FloatArray], space: SpaceName, gallery: Sequence[int]
    ) -> npt.NDArray[np.float64]:
        """Highest dot product of a query's vectors with a clip's segments, [queries, gallery]."""
        clips = [self._vectors[space][number] for number in gallery]
        return np.array([[float((query @ vectors.T).max()) for vectors in clips] for query in queries])


def _required(vectors: FloatArray | None) -> FloatArray:
    if vectors is None:
        raise ValueError("the model set returned no vectors for one of its spaces")
    return vectors


def _metrics(scores: npt.NDArray[np.float64], exact: Flags, relevant: Flags) -> RetrievalMetrics:
    """Metrics from scores [queries, clips] and flags for the exact clip and for relevant clips."""
    ranks = first_relevant_ranks(scores, exact)
    return RetrievalMetrics(
        r1=recall_at(ranks, 1),
        relevant1=recall_at(first_relevant_ranks(scores, relevant), 1),
        r5=recall_at(ranks, 5),
        r10=recall_at(ranks, 10),
    )
