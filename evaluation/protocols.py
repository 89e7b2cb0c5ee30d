"""Cross-modal retrieval by the protocols of the papers, over the clips of a dataset that are in a library.

The score of a clip is that of its best window: a library stores windows of 10 s, while the papers embed whole clips.
For clips of up to 10 s this is the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pesearch.evaluation.datasets import IndexedClip
from pesearch.evaluation.layouts import Task
from pesearch.evaluation.metrics import Flags, Scores
from pesearch.evaluation.ranking import (
    REWEIGHT_SCALE,
    RankingMetrics,
    column_log_sums,
    dual_softmax,
    ranking_metrics,
)
from pesearch.types import FloatArray, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

BLOCK_ROWS = 512
"""Query vectors per block of scores: bounds the memory of large galleries."""


@dataclass(frozen=True, slots=True)
class TaskMetrics:
    """Metrics of one direction, with the number of queries and of items in the gallery.

    `dot` compares the vectors as the model returns them, `cosine` at unit length. `dual_softmax` is the figure that the
    reference implementation reports: it needs all queries at once, so it does not apply to a single query.
    """

    task: str
    queries: int
    gallery: int
    dot: RankingMetrics
    cosine: RankingMetrics
    dual_softmax: RankingMetrics


@dataclass(frozen=True, slots=True)
class VectorGroups:
    """The queries or the gallery: item i has the rows `vectors[starts[i]:starts[i + 1]]` and the keys `keys[i]`.

    Keys are clip numbers: a query and a gallery item that share one are relevant to each other. `vectors` is float64
    [rows, dim].
    """

    keys: tuple[frozenset[int], ...]
    vectors: npt.NDArray[np.float64]
    starts: npt.NDArray[np.int64]

    @classmethod
    def concatenated(cls, groups: Sequence[FloatArray], keys: Sequence[frozenset[int]]) -> VectorGroups:
        """From the vectors of each item, [rows of the item, dim]."""
        starts = np.cumsum([0, *(len(group) for group in groups)])
        return cls(tuple(keys), np.concatenate(groups).astype(np.float64), starts)

    def normalized(self) -> VectorGroups:
        """The same groups with every vector at unit length; zero vectors stay zero."""
        lengths = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        return replace(self, vectors=self.vectors / np.where(lengths > 0, lengths, 1.0))


def task_metrics(task: Task, clips: Sequence[IndexedClip], library: Library, models: ModelSet) -> TaskMetrics | None:
    """Metrics of one direction; None if no clip has vectors in the spaces that it compares."""
    spaces = [space for space in (task.query_space, task.gallery_space) if space is not None]
    media = {space: _media(space, clips, library) for space in spaces}
    present = [number for number in range(len(clips)) if all(number in media[space] for space in spaces)]
    if not present:
        return None

    def groups(space: SpaceName | None) -> VectorGroups:
        if space is None:
            return _texts({number: clips[number].clip.captions for number in present}, spaces[0], models)
        keys = [frozenset([number]) for number in present]
        return VectorGroups.concatenated([media[space][number] for number in present], keys)

    queries, gallery = groups(task.query_space), groups(task.gallery_space)
    unit_queries, unit_gallery = queries.normalized(), gallery.normalized()
    has_frames = SpaceName.FRAME in spaces
    scale = 1.0 if has_frames else REWEIGHT_SCALE
    reweighted = (unit_queries, unit_gallery) if has_frames else (queries, gallery)
    return TaskMetrics(
        task=task.name,
        queries=len(queries.keys),
        gallery=len(gallery.keys),
        dot=ranking_metrics(_blocks(queries, gallery)),
        cosine=ranking_metrics(_blocks(unit_queries, unit_gallery)),
        dual_softmax=ranking_metrics(_reweighted(*reweighted, scale)),
    )


def _media(space: SpaceName, clips: Sequence[IndexedClip], library: Library) -> dict[int, FloatArray]:
    """Vectors by clip number, from the first file of the clip that has any. Frames are averaged, as PE-Core does."""
    if space not in {known.name for known in library.spaces}:
        return {}
    by_clip = {}
    for number, clip in enumerate(clips):
        for file in clip.files:
            vectors = library.vectors(file.id, space).vectors
            if len(vectors):
                by_clip[number] = vectors.mean(axis=0, keepdims=True) if space is SpaceName.FRAME else vectors
                break
    return by_clip


def _texts(captions: dict[int, tuple[str, ...]], space: SpaceName, models: ModelSet) -> VectorGroups:
    """Each distinct caption once, with the numbers of all clips that have it."""
    owners: dict[str, set[int]] = defaultdict(set)
    for number, texts in captions.items():
        for text in texts:
            owners[text].add(number)
    vectors = models.embed_texts(list(owners), {space}).of(space)
    if vectors is None:
        raise ValueError("the model set returned no vectors for one of its spaces")
    keys = [frozenset(numbers) for numbers in owners.values()]
    return VectorGroups.concatenated([vector[None] for vector in vectors], keys)


def _scores(queries: VectorGroups, gallery: VectorGroups) -> Iterator[tuple[slice, npt.NDArray[np.float64]]]:
    """Scores [some queries, gallery] and which queries: the best product of any two vectors."""
    step = max(1, BLOCK_ROWS * len(queries.keys) // len(queries.vectors))
    for first in range(0, len(queries.keys), step):
        stop = min(first + step, len(queries.keys))
        begin, end = queries.starts[first], queries.starts[stop]
        products = queries.vectors[begin:end] @ gallery.vectors.T
        best = np.maximum.reduceat(products, gallery.starts[:-1], axis=1)
        yield slice(first, stop), np.maximum.reduceat(best, queries.starts[first:stop] - begin, axis=0)


def _blocks(queries: VectorGroups, gallery: VectorGroups) -> Iterator[tuple[Scores, Flags]]:
    for block, scores in _scores(queries, gallery):
        yield scores, _relevant(queries.keys[block], gallery)


def _reweighted(queries: VectorGroups, gallery: VectorGroups, scale: float) -> Iterator[tuple[Scores, Flags]]:
    """Two passes over the scores: the log sums over all queries, then the scores of each query."""
    log_sums = column_log_sums(scores * scale for _, scores in _scores(queries, gallery))
    for block, scores in _scores(queries, gallery):
        yield dual_softmax(scores * scale, log_sums), _relevant(queries.keys[block], gallery)


def _relevant(keys: Sequence[frozenset[int]], gallery: VectorGroups) -> Flags:
    places: dict[int, list[int]] = defaultdict(list)
    for place, item_keys in enumerate(gallery.keys):
        for key in item_keys:
            places[key].append(place)
    flags = np.zeros((len(keys), len(gallery.keys)), dtype=bool)
    for row, query_keys in zip(flags, keys, strict=True):
        for key in query_keys:
            row[places[key]] = True
    return flags
