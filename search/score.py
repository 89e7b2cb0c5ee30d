"""A close look at files: how surely each of their windows answers each term of a question, in each space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pesearch.search.asked import Asked
from pesearch.search.background import Certainty
from pesearch.search.calibrate import Calibration
from pesearch.timeline import windows
from pesearch.types import FloatArray, MediaFile, SegmentArray, SpaceName, SpaceVectors

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
class FileScores:
    """One file: `cells` float64 [c, 2] are its windows, `certainties` float64 [c, terms, spaces] hold the best of the
    segments that lie in each; 0 where a space has none there, or is not asked."""

    file: MediaFile
    cells: SegmentArray
    certainties: Certainty
    spaces: dict[SpaceName, SpaceScores]


def score_files(
    library: Library, asked: Asked, calibration: Calibration, file_ids: Sequence[int]
) -> dict[int, FileScores]:
    """Compares every vector of the files with every probe."""
    scored: dict[int, dict[SpaceName, SpaceScores]] = {number: {} for number in file_ids}
    for space in sorted({probe.space for probe in calibration.probes}):
        for stored in library.vectors_of(file_ids, space):
            scores = _score_space(asked, calibration, space, stored.vectors)
            for number, part in stored.parts():
                scored[number][space] = _in_order(scores, part)
    return {number: _by_cells(library.file(number), asked, spaces) for number, spaces in scored.items()}


def _by_cells(file: MediaFile, asked: Asked, spaces: dict[SpaceName, SpaceScores]) -> FileScores:
    cells = file_cells(file)
    certainties = np.zeros((len(cells), len(asked.terms), len(SPACES)))
    for space, scored in spaces.items():
        certainties[:, :, SPACES.index(space)] = best_in_cells(cells, scored.segments, scored.certainties)
    return FileScores(file, cells, certainties, spaces)


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
    order = np.argsort(segments[:, 0], kind="stable")
    return SpaceScores(
        segments[order], scores.scores[part][order], scores.probes[part][order], scores.certainties[part][order]
    )


def ranges(cells: SegmentArray, segments: SegmentArray) -> tuple[Indexes, Indexes]:
    """For each cell the range [first, stop) of the segments whose middle lies inside it; segments by time.

    Windows overlap by half, so the middle of one lies at the edge of the next and not inside it.
    """
    middles = segments.mean(axis=1)
    instant = cells[:, 0] == cells[:, 1]
    first = np.where(
        instant, np.searchsorted(middles, cells[:, 0], "left"), np.searchsorted(middles, cells[:, 0], "right")
    )
    stop = np.where(
        instant, np.searchsorted(middles, cells[:, 1], "right"), np.searchsorted(middles, cells[:, 1], "left")
    )
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
