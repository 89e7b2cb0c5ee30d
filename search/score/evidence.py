"""Selects the hits that support a moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pesearch.search.query.plan import QueryPlan
from pesearch.search.score.interval import Interval
from pesearch.search.score.part_scores import PartScores
from pesearch.search_hits import Hits
from pesearch.types import Hit, SpaceName

MIN_EVIDENCE_RATIO = 0.5
"""A space is evidence if its certainty is at least this share of that of the most certain space."""


def select_evidence(part: PartScores, interval: Interval, plan: QueryPlan, hits: Sequence[Hits]) -> tuple[Hit, ...]:
    """The best segment of the interval in each space that is evidence, by rank.

    `hits` are those of each query vector; a segment that is not among them ranks one after the last.
    """
    positive = [number for number, is_positive in enumerate(plan.is_positive) if is_positive]
    best = list(_best_segments(part, interval, positive))
    threshold = MIN_EVIDENCE_RATIO * max((certainty for *_, certainty in best), default=0.0)
    evidence = (_hit(part, space, row, hits) for space, row, certainty in best if certainty and certainty >= threshold)
    return tuple(sorted(evidence, key=lambda hit: (hit.rank, hit.space, hit.start_seconds)))


def _best_segments(
    part: PartScores, interval: Interval, positive: Sequence[int]
) -> Iterator[tuple[SpaceName, int, float]]:
    """For each space the row of the segment in the interval with the greatest certainty of a positive term."""
    for space, scored in part.spaces.items():
        starts, ends = scored.segments.T
        inside = (starts < interval.end_seconds) & (ends > interval.start_seconds) | (starts == interval.start_seconds)
        certainties = np.where(inside, scored.certainties[:, positive].max(axis=1), 0.0)
        row = int(certainties.argmax())
        yield space, row, float(certainties[row])


def _hit(part: PartScores, space: SpaceName, row: int, hits: Sequence[Hits]) -> Hit:
    scored = part.spaces[space]
    start, end = scored.segments[row].tolist()
    rank = hits[int(scored.query_numbers[row])].rank_of(part.file.id, start, end)
    return Hit(part.file.id, space, start, end, float(scored.scores[row]), rank)
