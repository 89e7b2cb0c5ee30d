"""A close look at parts of files: how surely each of their windows answers each term of a question, in each space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pesearch.search.asked import Asked
from pesearch.search.background import Certainty
from pesearch.search.calibrate import Calibration
from pesearch.timeline import STEPS_PER_SECOND, step_count, windows
from pesearch.types import FloatArray, MediaFile, Part, SegmentArray, SpaceName, SpaceVectors

if TYPE_CHECKING:
    from pesearch.store.library import Library

SPACES = tuple(SpaceName)
"""The order of the last axis of certainties."""

Indexes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SpaceScores:
    """One space of one file: `segments` float64 [n, 2] in order of time, `scores` float32 [n] of the best probe of
    what is looked for and which `probes` int64 [n] that was, `certainties` float64 [n, terms]."""

    segments: SegmentArray
    scores: FloatArray
    probes: Indexes
    certainties: Certainty


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
    library: Library, asked: Asked, calibration: Calibration, parts: Sequence[Part]
) -> dict[Part, PartScores]:
    """Compares every vector of parts of files with every probe."""
    scored: dict[Part, dict[SpaceName, SpaceScores]] = {part: {} for part in parts}
    for space in sorted({probe.space for probe in calibration.probes}):
        for stored in library.vectors_of(parts, space):
            scores = _score_space(asked, calibration, space, stored.vectors)
            for part, rows in stored.each():
                scored[part][space] = _in_order(scores, rows)
    return {part: _by_cells(library.file(part.file_id), part, asked, spaces) for part, spaces in scored.items()}


def _by_cells(file: MediaFile, part: Part, asked: Asked, spaces: dict[SpaceName, SpaceScores]) -> PartScores:
    cells = file_cells(file)
    cells = cells[(cells[:, 0] >= part.start_seconds) & (cells[:, 1] <= part.end_seconds)]
    certainties = np.zeros((len(cells), len(asked.terms), len(SPACES)))
    for space, scored in spaces.items():
        certainties[:, :, SPACES.index(space)] = best_in_cells(cells, scored.segments, scored.certainties)
    return PartScores(file, part, cells, certainties, spaces)


def file_cells(file: MediaFile) -> SegmentArray:
    """The windows of a file, or the one instant that a still image is."""
    cells = windows(file.info.duration_seconds)
    return cells if len(cells) else np.zeros((1, 2))


def _score_space(asked: Asked, calibration: Calibration, space: SpaceName, stored: SpaceVectors) -> SpaceScores:
    """Vectors of any files."""
    numbers, scores, sure = calibration.certainties(space, stored.vectors)
    parts = np.array([calibration.probes[number].part for number in numbers])
    certainties = np.zeros((len(sure), len(asked.terms)))
    for part in set(parts.tolist()):
        certainties[:, part] = sure[:, parts == part].max(axis=1)
    wanted = np.flatnonzero(np.array(asked.looked_for)[parts])
    if not len(wanted):
        return SpaceScores(stored.segments, scores[:, 0], np.full(len(sure), numbers[0]), certainties)
    best = wanted[sure[:, wanted].argmax(axis=1)]
    return SpaceScores(stored.segments, scores[np.arange(len(best)), best], np.array(numbers)[best], certainties)


def _in_order(scores: SpaceScores, part: slice) -> SpaceScores:
    """Those of one file, in order of time."""
    segments = scores.segments[part]
    if (np.diff(segments[:, 0]) >= 0).all():
        return SpaceScores(segments, scores.scores[part], scores.probes[part], scores.certainties[part])
    order = np.argsort(segments[:, 0], kind="stable")
    return SpaceScores(
        segments[order], scores.scores[part][order], scores.probes[part][order], scores.certainties[part][order]
    )


def ranges(cells: SegmentArray, segments: SegmentArray) -> tuple[Indexes, Indexes]:
    """For each cell the range [first, stop) of the segments whose middle lies inside it; segments by time.

    Windows overlap by half, so the middle of one lies at the edge of the next and not inside it.
    """
    middles = (segments[:, 0] + segments[:, 1]) / 2
    is_still = bool((cells[:, 0] == cells[:, 1]).all())
    first = np.searchsorted(middles, cells[:, 0], "left" if is_still else "right")
    stop = np.searchsorted(middles, cells[:, 1], "right" if is_still else "left")
    return first, np.maximum(first, stop)


def best_in_cells(cells: SegmentArray, segments: SegmentArray, values: Certainty) -> Certainty:
    """The greatest of `values` [n, terms] among the segments in each cell, [cells, terms]; 0 where there is none."""
    if len(cells) == 1:
        best: Certainty = values.max(axis=0, keepdims=True, initial=0.0)
        return best
    first, stop = ranges(cells, segments)
    padded = np.concatenate([values, np.zeros((1, values.shape[1]))])
    best = np.maximum.reduceat(padded, np.stack([first, stop], axis=1).ravel(), axis=0)[::2]
    return np.where((stop > first)[:, None], best, 0.0)
