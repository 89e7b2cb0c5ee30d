"""How relevant a file is to a question over its whole time: one curve for each sense."""

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
from pesearch.search.score.normalization import Certainty, score_normalizers
from pesearch.search.score.part_scores import score_parts
from pesearch.types import MediaFile, Part, SegmentArray

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

LEAST_POINT_SECONDS, MOST_POINTS = 0.5, 800
"""A curve has a point each half second, or so many of them: as many as are told apart on a screen."""


@dataclass(frozen=True, slots=True)
class Curve:
    """How certain one sense is of what is looked for: `values` float64 [points] in 0..1, at even times of the file.

    The first is `step_seconds / 2` after its start.
    """

    sense: str
    step_seconds: float
    values: Certainty


def relevance(library: Library, models: ModelSet, request: SearchRequest, file: MediaFile) -> tuple[Curve, ...]:
    """A curve for each sense in which the file can answer; none of a still image. Errors as of `search`."""
    duration = file.info.duration_seconds
    if duration <= 0:
        return ()
    pinned, asked = library.pinned(), compile_query(request)
    probes = encode_query(asked, models)
    whole = Part(file.id, 0.0, math.inf)
    calibration = calibration_for(pinned, score_normalizers(library), models, probes)
    scored = score_parts(pinned, asked, calibration, [whole])[whole]
    wanted = np.flatnonzero(asked.is_positive)
    points = min(MOST_POINTS, max(math.ceil(duration / LEAST_POINT_SECONDS), 1))
    senses: dict[str, Certainty] = {}
    for space, scores in scored.spaces.items():
        sure = scores.certainties[:, wanted].max(axis=1, initial=0.0)
        values = _along(scores.segments, sure, duration / points, points)
        senses[SENSE_WORDS[space]] = np.maximum(senses.get(SENSE_WORDS[space], 0.0), values)
    return tuple(Curve(sense, duration / points, values) for sense, values in senses.items())


def _along(segments: SegmentArray, sure: Certainty, step_seconds: float, points: int) -> Certainty:
    """The certainty of segments at even times: of the best one whose middle is there, else between two of them."""
    middles = segments.mean(axis=1)
    values: Certainty = np.interp((np.arange(points) + 0.5) * step_seconds, middles, sure)
    np.maximum.at(values, np.minimum(middles / step_seconds, points - 1).astype(np.int64), sure)
    return values
