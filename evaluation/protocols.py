"""The protocols of the papers, over the clips of a dataset that are in a library.

A clip scores as its best window does: a library keeps windows of 10 s, where the papers embed a clip as a whole. On
clips of at most 10 s that is the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pesearch.evaluation.datasets import PlacedClip
from pesearch.evaluation.layouts import Task
from pesearch.evaluation.metrics import Flags
from pesearch.evaluation.ranking import (
    REWEIGHT_SCALE,
    RankingFigures,
    column_log_sums,
    dual_softmax,
    ranking_figures,
)
from pesearch.types import FloatArray, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

ROWS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class TaskFigures:
    """One direction: so many queries over a gallery of so many clips or texts. `dot` compares the vectors as the model
    gives them, `cosine` at unit length, `dual_softmax` as the reference does, with all the queries at once: nobody who
    asks one question gets that."""

    task: str
    queries: int
    gallery: int
    dot: RankingFigures
    cosine: RankingFigures
    dual_softmax: RankingFigures


class Side:
    """What asks or is found: each of `keys` has one or more rows of `vectors`; what shares a key belongs together."""

    def __init__(self, groups: Sequence[FloatArray], keys: Sequence[frozenset[int]]) -> None:
        self.keys = tuple(keys)
        self.vectors = np.concatenate(groups).astype(np.float64)
        self.starts = np.cumsum([0, *(len(group) for group in groups)])

    def at_unit_length(self) -> Side:
        """The same with every vector at unit length."""
        lengths = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        same = object.__new__(Side)
        same.keys, same.starts = self.keys, self.starts
        same.vectors = self.vectors / np.where(lengths > 0, lengths, 1.0)
        return same


def task_figures(task: Task, clips: Sequence[PlacedClip], library: Library, models: ModelSet) -> TaskFigures | None:
    """The figures of one direction; None where no clip has what it compares."""
    spaces = [space for space in (task.asks, task.finds) if space is not None]
    media = {space: _media(space, clips, library) for space in spaces}
    present = [number for number in range(len(clips)) if all(number in media[space] for space in spaces)]
    if not present:
        return None

    def side(space: SpaceName | None) -> Side:
        if space is None:
            return _texts({number: clips[number].clip.captions for number in present}, spaces[0], models)
        return Side([media[space][number] for number in present], [frozenset([number]) for number in present])

    queries, gallery = side(task.asks), side(task.finds)
    unit_queries, unit_gallery = queries.at_unit_length(), gallery.at_unit_length()
    framed = SpaceName.FRAME in spaces
    scale = 1.0 if framed else REWEIGHT_SCALE
    reweighted = (unit_queries, unit_gallery) if framed else (queries, gallery)
    return TaskFigures(
        task=task.name,
        queries=len(queries.keys),
        gallery=len(gallery.keys),
        dot=ranking_figures(_blocks(queries, gallery)),
        cosine=ranking_figures(_blocks(unit_queries, unit_gallery)),
        dual_softmax=ranking_figures(_reweighted(*reweighted, scale)),
    )


def _media(space: SpaceName, clips: Sequence[PlacedClip], library: Library) -> dict[int, FloatArray]:
    """The vectors of each clip that has any, of its first file that has. Frames are averaged, as PE-Core does."""
    if space not in {one.name for one in library.spaces}:
        return {}
    found = {}
    for number, clip in enumerate(clips):
        for file in clip.files:
            vectors = library.vectors(file.id, space).vectors
            if len(vectors):
                found[number] = vectors.mean(axis=0, keepdims=True) if space is SpaceName.FRAME else vectors
                break
    return found


def _texts(captions: dict[int, tuple[str, ...]], space: SpaceName, models: ModelSet) -> Side:
    """Each different caption once; it belongs to every clip that has it."""
    owners: dict[str, set[int]] = defaultdict(set)
    for number, texts in captions.items():
        for text in texts:
            owners[text].add(number)
    vectors = models.embed_texts(list(owners), {space}).of(space)
    if vectors is None:
        raise ValueError("the model set gave no vectors for a space that it has")
    return Side([vector[None] for vector in vectors], [frozenset(owner) for owner in owners.values()])


def _scores(queries: Side, gallery: Side) -> Iterator[tuple[slice, npt.NDArray[np.float64]]]:
    """Scores [some queries, gallery] and which queries: the best product of any two vectors."""
    step = max(1, ROWS_AT_ONCE * len(queries.keys) // len(queries.vectors))
    for first in range(0, len(queries.keys), step):
        stop = min(first + step, len(queries.keys))
        begin, end = queries.starts[first], queries.starts[stop]
        products = queries.vectors[begin:end] @ gallery.vectors.T
        best = np.maximum.reduceat(products, gallery.starts[:-1], axis=1)
        yield slice(first, stop), np.maximum.reduceat(best, queries.starts[first:stop] - begin, axis=0)


def _blocks(queries: Side, gallery: Side) -> Iterator[tuple[npt.NDArray[np.float64], Flags]]:
    for block, scores in _scores(queries, gallery):
        yield scores, _relevant(queries.keys[block], gallery)


def _reweighted(queries: Side, gallery: Side, scale: float) -> Iterator[tuple[npt.NDArray[np.float64], Flags]]:
    """Two passes over the scores: what all queries think of each item, then each query."""
    log_sums = column_log_sums(scores * scale for _, scores in _scores(queries, gallery))
    for block, scores in _scores(queries, gallery):
        yield dual_softmax(scores * scale, log_sums), _relevant(queries.keys[block], gallery)


def _relevant(keys: Sequence[frozenset[int]], gallery: Side) -> Flags:
    places: dict[int, list[int]] = defaultdict(list)
    for place, owned in enumerate(gallery.keys):
        for key in owned:
            places[key].append(place)
    flags = np.zeros((len(keys), len(gallery.keys)), dtype=bool)
    for row, owned in zip(flags, keys, strict=True):
        for key in owned:
            row[places[key]] = True
    return flags
