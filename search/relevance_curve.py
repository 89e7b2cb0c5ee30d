"""The relevance of a file to a request over its duration: one curve per sense."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pesearch.formatting import SENSE_WORDS
from pesearch.search.encode.query_encoder import encode_query
from pesearch.search.query.plan import compile_query
from pesearch.search.query.request import SearchRequest
from pesearch.search.score.calibration import calibration_for
from pesearch.search.score.library_normalizer import score_normalizers
from pesearch.search.score.match_threshold import Certainty
from pesearch.search.score.part_scores import PartScores, score_parts
from pesearch.search.search import on_snapshot
from pesearch.types import MediaFile, Part, SegmentArray

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

MIN_POINT_SECONDS = 0.5
"""The finest distance between the points of a curve."""

MAX_POINTS = 800
"""Maximum number of points of a curve: as many as a screen resolves."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The certainty of one sense at equidistant times: `values` float64 [points] in 0..1.

    The first point is `step_seconds / 2` after the start of the file.
    """

    sense: str
    step_seconds: float
    values: Certainty


def relevance(library: Library, models: ModelSet, request: SearchRequest, file: MediaFile) -> tuple[Curve, ...]:
    """A curve for each sense in which the file has vectors that the request searches; none for a still image.

    Raises the same errors as `search`.
    """
    duration = file.info.duration_seconds
    if duration <= 0:
        return ()
    plan, normalizers = compile_query(request), score_normalizers(library)
    query_vectors, whole_file = encode_query(plan, models), Part(file.id, 0.0, math.inf)

    def score(pinned: Library) -> PartScores:
        calibration = calibration_for(pinned, normalizers, models, plan, query_vectors)
        return score_parts(pinned, plan, calibration, [whole_file])[whole_file]

    part_scores = on_snapshot(library, score)
    positive = np.flatnonzero(plan.is_positive)
    points = min(MAX_POINTS, max(math.ceil(duration / MIN_POINT_SECONDS), 1))
    senses: dict[str, Certainty] = {}
    for space, scores in part_scores.spaces.items():
        certainties = scores.certainties[:, positive].max(axis=1, initial=0.0)
        values = _resample(scores.segments, certainties, duration / points, points)
        senses[SENSE_WORDS[space]] = np.maximum(senses.get(SENSE_WORDS[space], 0.0), values)
    return tuple(Curve(sense, duration / points, values) for sense, values in senses.items())


def _resample(segments: SegmentArray, certainties: Certainty, step_seconds: float, points: int) -> Certainty:
    """The certainties of segments at equidistant times: linear between their middles, with every peak kept."""
    middles = segments.mean(axis=1)
    values: Certainty = np.interp((np.arange(points) + 0.5) * step_seconds, middles, certainties)
    np.maximum.at(values, np.minimum(middles / step_seconds, points - 1).astype(np.int64), certainties)
    return values
