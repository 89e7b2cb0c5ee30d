"""Scores parts of files: the certainty of each term in each window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pesearch.search.query.plan import QueryPlan
from pesearch.search.score.calibration import Calibration
from pesearch.search.score.match_threshold import Certainty, Deviations
from pesearch.search.score.single_precision import single_precision
from pesearch.search.score.window_pooling import Indexes, WindowRows, maximum, part_windows, top_quarter_mean
from pesearch.timeline import STEPS_PER_SECOND, step_count
from pesearch.types import MEDIA_SPACES, FloatArray, MediaFile, Part, SegmentArray, SpaceName

if TYPE_CHECKING:
    from pesearch.store.index.part_vectors import PartVectors
    from pesearch.store.library import Library


@dataclass(frozen=True, slots=True)
class SpaceScores:
    """The scores of the segments of one file in one space.

    segments: float64 [n, 2], sorted by start.
    scores: float32 [n], the dot product with the best query vector of a positive term.
    query_numbers: int64 [n], the number of that query vector.
    deviations: float64 [n, terms], for terms that are texts, else NaN.
    certainties: float64 [n, terms], by this space alone.
    """

    segments: SegmentArray
    scores: FloatArray
    query_numbers: Indexes
    deviations: Deviations
    certainties: Certainty

    def take(self, rows: slice | Indexes) -> SpaceScores:
        """The scores of the segments at `rows`."""
        return SpaceScores(
            self.segments[rows],
            self.scores[rows],
            self.query_numbers[rows],
            self.deviations[rows],
            self.certainties[rows],
        )


@dataclass(frozen=True, slots=True)
class PartScores:
    """The scores of a part of a file.

    windows: float64 [w, 2], the windows inside the part.
    certainties: float64 [w, terms, hypotheses], by all spaces; 0 if a term is searched in none that the window has.
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
    stops = np.cumsum([len(windows[part]) for part in windows])
    places = dict(zip(windows, np.split(np.arange(stops[-1] if len(stops) else 0), stops[:-1]), strict=bool(parts)))
    shape = (int(stops[-1]) if len(stops) else 0, len(plan.terms), len(MEDIA_SPACES))
    deviations, certainties = np.full(shape, np.nan), np.zeros(shape)
    spaces: dict[Part, dict[SpaceName, SpaceScores]] = {part: {} for part in parts}
    for space in sorted({query.space for query in calibration.query_vectors}):
        at = MEDIA_SPACES.index(space)
        for stored in library.vectors_of(parts, space):
            scores = _score_space(plan, calibration, space, stored)
            rows = WindowRows.of([windows[part] for part in stored.parts], scores.segments, stored.numbers)
            pooled = np.concatenate([places[part] for part in stored.parts])
            deviations[pooled, :, at] = top_quarter_mean(scores.deviations, rows)
            certainties[pooled, :, at] = maximum(scores.certainties, rows)
            for part, own in stored.each():
                spaces[part][space] = scores.take(own)
    combined = calibration.combine(deviations, certainties)
    return {
        part: PartScores(files[part], part, windows[part], combined[places[part]], spaces[part]) for part in windows
    }


def _score_space(plan: QueryPlan, calibration: Calibration, space: SpaceName, stored: PartVectors) -> SpaceScores:
    """Scores the vectors of parts of files, in their order."""
    found = calibration.score(space, single_precision(stored.vectors))
    terms = np.array([calibration.query_vectors[number].term for number in found.numbers])
    shape = (len(found.scores), len(plan.terms))
    deviations, certainties = np.full(shape, np.nan), np.zeros(shape)
    for term in set(terms.tolist()):
        deviations[:, term] = found.deviations[:, terms == term].max(axis=1)
        certainties[:, term] = found.certainties[:, terms == term].max(axis=1)
    positive = np.flatnonzero(np.array(plan.is_positive)[terms])
    best = np.zeros(len(found.scores), np.int64)
    if len(positive):
        best = positive[found.certainties[:, positive].argmax(axis=1)]
    scores = found.scores[np.arange(len(best)), best]
    return SpaceScores(stored.segments, scores, np.array(found.numbers)[best], deviations, certainties)
