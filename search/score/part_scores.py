"""A close look at parts of files: how surely each of their windows answers each term of a question, in each space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pesearch.search.query.plan import QueryPlan
from pesearch.search.score.calibration import Calibration
from pesearch.search.score.normalization import Certainty
from pesearch.search.score.window_pooling import Indexes, best_in_cells, part_cells
from pesearch.timeline import STEPS_PER_SECOND, step_count
from pesearch.types import MEDIA_SPACES, FloatArray, MediaFile, Part, SegmentArray, SpaceName, SpaceVectors

if TYPE_CHECKING:
    from pesearch.store.library import Library

SPACES = MEDIA_SPACES
"""The order of the last axis of certainties."""


@dataclass(frozen=True, slots=True)
class SpaceScores:
    """One space of one file: `segments` float64 [n, 2] in order of time, `scores` float32 [n] of the best probe of
    what is looked for and which `probes` int64 [n] that was, `certainties` float64 [n, terms]."""

    segments: SegmentArray
    scores: FloatArray
    probes: Indexes
    certainties: Certainty

    def of(self, rows: slice | Indexes) -> SpaceScores:
        """Some of them."""
        return SpaceScores(self.segments[rows], self.scores[rows], self.probes[rows], self.certainties[rows])


@dataclass(frozen=True, slots=True)
class PartScores:
    """A part of a file: `cells` float64 [c, 2] are the windows in it, `certainties` float64 [c, terms, spaces] hold the
    best of the segments that lie in each; 0 where a space has none there, or is not asked."""

    file: MediaFile
    part: Part
    cells: SegmentArray
    certainties: Certainty
    spaces: dict[SpaceName, SpaceScores]

    @property
    def first_step(self) -> int:
        """The step of the file with which the part begins."""
        return round(self.part.start_seconds * STEPS_PER_SECOND)

    @property
    def steps(self) -> int:
        """How many steps the part has; a still image has one."""
        whole = max(step_count(self.file.info.duration_seconds), 1)
        stop = whole if self.part.end_seconds == math.inf else round(self.part.end_seconds * STEPS_PER_SECOND)
        return min(stop, whole) - self.first_step


def score_parts(
    library: Library, asked: QueryPlan, calibration: Calibration, parts: Sequence[Part]
) -> dict[Part, PartScores]:
    """Compares every vector of parts of files with every probe."""
    files = {part: library.file(part.file_id) for part in parts}
    cells = {part: part_cells(file, part) for part, file in files.items()}
    certainties = {part: np.zeros((len(cells[part]), len(asked.terms), len(SPACES))) for part in parts}
    spaces: dict[Part, dict[SpaceName, SpaceScores]] = {part: {} for part in parts}
    for space in sorted({probe.space for probe in calibration.probes}):
        for stored in library.vectors_of(parts, space):
            scores = _in_order(_score_space(asked, calibration, space, stored.vectors), stored.numbers)
            best = best_in_cells(
                [cells[part] for part in stored.parts], scores.segments, stored.numbers, scores.certainties
            )
            for (part, rows), sure in zip(stored.each(), best, strict=True):
                spaces[part][space] = scores.of(rows)
                certainties[part][:, :, SPACES.index(space)] = sure
    return {part: PartScores(files[part], part, cells[part], certainties[part], spaces[part]) for part in parts}


def _score_space(asked: QueryPlan, calibration: Calibration, space: SpaceName, stored: SpaceVectors) -> SpaceScores:
    """Vectors of any files."""
    numbers, scores, sure = calibration.certainties(space, stored.vectors)
    parts = np.array([calibration.probes[number].part for number in numbers])
    certainties = np.zeros((len(sure), len(asked.terms)))
    for part in set(parts.tolist()):
        certainties[:, part] = sure[:, parts == part].max(axis=1)
    wanted = np.flatnonzero(np.array(asked.is_positive)[parts])
    if not len(wanted):
        return SpaceScores(stored.segments, scores[:, 0], np.full(len(sure), numbers[0]), certainties)
    best = wanted[sure[:, wanted].argmax(axis=1)]
    return SpaceScores(stored.segments, scores[np.arange(len(best)), best], np.array(numbers)[best], certainties)


def _in_order(scores: SpaceScores, part: Indexes) -> SpaceScores:
    """Those of each part in order of time; `part` [n] rises."""
    starts = scores.segments[:, 0]
    if ((np.diff(starts) >= 0) | (np.diff(part) > 0)).all():
        return scores
    return scores.of(np.lexsort([starts, part]))
