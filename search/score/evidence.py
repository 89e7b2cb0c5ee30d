"""The hits that speak for a stretch of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pesearch.search.query.plan import QueryPlan
from pesearch.search.score.intervals import Interval
from pesearch.search.score.part_scores import PartScores
from pesearch.search_hits import Hits
from pesearch.types import Hit, SpaceName

KEPT_SHARE = 0.5
"""Spaces that are under this share as certain as the best one do not count as evidence."""


def evidence_of(part: PartScores, stretch: Interval, asked: QueryPlan, found: Sequence[Hits]) -> tuple[Hit, ...]:
    """The best segment of the stretch in each space that speaks for it.

    `found` are the hits of each probe: what is not among them ranks after them.
    """
    wanted = [number for number, is_positive in enumerate(asked.is_positive) if is_positive]
    best = list(_best_segments(part, stretch, wanted))
    least = KEPT_SHARE * max((sure for *_, sure in best), default=0.0)
    hits = (_hit(part, space, at, found) for space, at, sure in best if sure and sure >= least)
    return tuple(sorted(hits, key=lambda hit: (hit.rank, hit.space, hit.start_seconds)))


def _best_segments(
    part: PartScores, stretch: Interval, wanted: Sequence[int]
) -> Iterator[tuple[SpaceName, int, float]]:
    """For each space the number of the segment in the stretch that is surest of a term that is looked for."""
    for space, scored in part.spaces.items():
        starts, ends = scored.segments.T
        inside = (starts < stretch.end_seconds) & (ends > stretch.start_seconds) | (starts == stretch.start_seconds)
        sure = np.where(inside, scored.certainties[:, wanted].max(axis=1), 0.0)
        at = int(sure.argmax())
        yield space, at, float(sure[at])


def _hit(part: PartScores, space: SpaceName, at: int, found: Sequence[Hits]) -> Hit:
    scored = part.spaces[space]
    start, end = scored.segments[at].tolist()
    rank = found[int(scored.probes[at])].rank_of(part.file.id, start, end)
    return Hit(part.file.id, space, start, end, float(scored.scores[at]), rank)
