"""A close look at one file: how surely each of its windows answers each term of a question, in each space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pesearch.search.asked import Asked
from pesearch.search.background import Certainty
from pesearch.search.calibrate import Calibration
from pesearch.timeline import windows
from pesearch.types import FloatArray, MediaFile, SegmentArray, SpaceName

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


def score_file(library: Library, asked: Asked, calibration: Calibration, file: MediaFile) -> FileScores:
    """Compares every vector of the file with every probe."""
    cells = file_cells(file)
    certainties = np.zeros((len(cells), len(asked.terms), len(SPACES)))
    spaces: dict[SpaceName, SpaceScores] = {}
    for space in sorted({probe.space for probe in calibration.probes}):
        scored = _score_space(library, asked, calibration, file, space)
        if len(scored.segments):
            spaces[space] = scored
            certainties[:, :, SPACES.index(space)] = best_in_cells(cells, scored.segments, scored.certainties)
    return FileScores(file, cells, certainties, spaces)


def file_cells(file: MediaFile) -> SegmentArray:
    """The windows of a file, or the one instant that a still image is."""
    cells = windows(file.info.duration_seconds)
    return cells if len(cells) else np.zeros((1, 2))


def _score_space(
    library: Library, asked: Asked, calibration: Calibration, file: MediaFile, space: SpaceName
) -> SpaceScores:
    stored = library.vectors(file.id, space)
    order = np.argsort(stored.segments[:, 0], kind="stable")
    segments, vectors = stored.segments[order], stored.vectors[order]
    certainties = np.zeros((len(segments), len(asked.terms)))
    best, scores = np.full(len(segments), -1.0), np.zeros(len(segments), dtype=np.float32)
    probes = np.zeros(len(segments), dtype=np.int64)
    for number, probe in enumerate(calibration.probes):
        if probe.space != space:
            continue
        sure = calibration.certainty(number, vectors)
        certainties[:, probe.part] = np.maximum(certainties[:, probe.part], sure)
        if asked.looked_for[probe.part]:
            better = sure > best
            best, scores = np.where(better, sure, best), np.where(better, vectors @ probe.vector, scores)
            probes = np.where(better, number, probes)
    return SpaceScores(segments, scores, probes, certainties)


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
    first, stop = ranges(cells, segments)
    padded = np.concatenate([values, np.zeros((1, values.shape[1]))])
    best = np.maximum.reduceat(padded, np.stack([first, stop], axis=1).ravel(), axis=0)[::2]
    return np.where((stop > first)[:, None], best, 0.0)
