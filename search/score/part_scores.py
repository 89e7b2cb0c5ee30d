"""Scores parts of files: the certainty of each term in each window and space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pesearch.search.query.plan import QueryPlan
from pesearch.search.score.calibration import Calibration
from pesearch.search.score.normalization import Certainty
from pesearch.search.score.window_pooling import Indexes, max_pool, part_windows
from pesearch.timeline import STEPS_PER_SECOND, step_count
from pesearch.types import MEDIA_SPACES, FloatArray, MediaFile, Part, SegmentArray, SpaceName, SpaceVectors

if TYPE_CHECKING:
    from pesearch.store.library import Library

SPACES = MEDIA_SPACES
"""Order of the last axis of `PartScores.certainties`."""


@dataclass(frozen=True, slots=True)
class SpaceScores:
    """The scores of the segments of one file in one space.

    segments: float64 [n, 2], sorted by start.
    scores: float32 [n], the dot product with the best query vector of a positive term.
    query_numbers: int64 [n], the number of that query vector.
    certainties: float64 [n, terms].
    """

    segments: SegmentArray
    scores: FloatArray
    query_numbers: Indexes
    certainties: Certainty

    def take(self, rows: slice | Indexes) -> SpaceScores:
        """The scores of the segments at `rows`."""
        return SpaceScores(self.segments[rows], self.scores[rows], self.query_numbers[rows], self.certainties[rows])


@dataclass(frozen=True, slots=True)
class PartScores:
    """The scores of a part of a file.

    windows: float64 [w, 2], the windows inside the part.
    certainties: float64 [w, terms, spaces], the maximum over the segments in each window; 0 if a space has none there
        or is not searched.
    """

    file: MediaFile
    part: Part
    windows: SegmentArray
    certainties: Certainty
    spaces: dict[SpaceName, SpaceScores]

    @property
    def first_step(self) -> int:
        """The step of the file at which the part starts."""
        return round(self.part.start_seconds * STEPS_PER_SECOND)

    @property
    def steps(self) -> int:
        """The number of steps in the part; a still image has one."""
        all_steps = max(step_count(self.file.info.duration_seconds), 1)
        stop = all_steps if self.part.end_seconds == math.inf else round(self.part.end_seconds * STEPS_PER_SECOND)
        return min(stop, all_steps) - self.first_step


def score_parts(
    library: Library, plan: QueryPlan, calibration: Calibration, parts: Sequence[Part]
) -> dict[Part, PartScores]:
    """Compares every vector in the parts with every query vector of its space."""
    files = {part: library.file(part.file_id) for part in parts}
    windows = {part: part_windows(file, part) for part, file in files.items()}
    certainties = {part: np.zeros((len(windows[part]), len(plan.terms), len(SPACES))) for part in parts}
    spaces: dict[Part, dict[SpaceName, SpaceScores]] = {part: {} for part in parts}
    for space in sorted({query.space for query in calibration.query_vectors}):
        for stored in library.vectors_of(parts, space):
            scores = _sort_by_time(_score_space(plan, calibration, space, stored.vectors), stored.numbers)
            pooled = max_pool(
                [windows[part] for part in stored.parts], scores.segments, stored.numbers, scores.certainties
            )
            for (part, rows), window_certainties in zip(stored.each(), pooled, strict=True):
                spaces[part][space] = scores.take(rows)
                certainties[part][:, :, SPACES.index(space)] = window_certainties
    return {part: PartScores(files[part], part, windows[part], certainties[part], spaces[part]) for part in parts}


def _score_space(plan: QueryPlan, calibration: Calibration, space: SpaceName, stored: SpaceVectors) -> SpaceScores:
    """Scores vectors of any files; segments keep their order."""
    numbers, scores, query_certainties = calibration.certainties(space, stored.vectors)
    terms = np.array([calibration.query_vectors[number].term for number in numbers])
    certainties = np.zeros((len(query_certainties), len(plan.terms)))
    for term in set(terms.tolist()):
        certainties[:, term] = query_certainties[:, terms == term].max(axis=1)
    positive = np.flatnonzero(np.array(plan.is_positive)[terms])
    if not len(positive):
        numbers_of_rows = np.full(len(query_certainties), numbers[0])
        return SpaceScores(stored.segments, scores[:, 0], numbers_of_rows, certainties)
    best = positive[query_certainties[:, positive].argmax(axis=1)]
    return SpaceScores(stored.segments, scores[np.arange(len(best)), best], np.array(numbers)[best], certainties)


def _sort_by_time(scores: SpaceScores, part_numbers: Indexes) -> SpaceScores:
    """Sorts the segments of each part by start; `part_numbers` [n] is ascending."""
    starts = scores.segments[:, 0]
    if ((np.diff(starts) >= 0) | (np.diff(part_numbers) > 0)).all():
        return scores
    return scores.take(np.lexsort([starts, part_numbers]))
