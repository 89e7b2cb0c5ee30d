"""Joins of many intervals: which pairs to join, and which of the results to keep.

`interval_pairs` finds the pairs in reach. Few results are kept of those that overlap anyway.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from pesearch.search.score.interval import MIN_SCORE, Interval, rank_key, times_of
from pesearch.search.score.interval_pairs import (
    Numbers,
    Scores,
    best_per_edge,
    overlapping_pairs,
    pairs_in_order,
    pairs_in_reach,
    without_containing,
)
from pesearch.types import SegmentArray

MAX_INTERVALS_PER_EDGE = 2
"""Of the combined intervals that start at the same time, this many are kept, and of those that end at the same time.

They overlap, so an answer shows at most one of each. Whether something else is within reach of an interval depends on
its two edges, and each edge is kept: the limit decides which of overlapping intervals is shown, never whether one is.
"""

MIN_SELECTED_PAIRS = 256
"""Of more pairs, those to join are selected as arrays: a join takes 2 µs."""


def near_pairs(
    intervals: Sequence[Interval], others: Sequence[Interval], seconds: float
) -> Iterator[tuple[Interval, Interval]]:
    """The pairs that are at most `seconds` apart."""
    return _pairs(intervals, others, *pairs_in_reach(*_columns(intervals, others), seconds))


def pairs_to_join(
    intervals: Sequence[Interval], others: Sequence[Interval], seconds: float, is_final: bool
) -> Iterator[tuple[Interval, Interval]]:
    """The pairs that are at most `seconds` apart; of very many, those whose joins `keep_best` may keep.

    is_final: The joins are not joined again. Of very many, those that contain another with the same score are left out:
        whatever overlaps that one overlaps them.
    """
    rows, numbers = pairs_in_reach(*_columns(intervals, others), seconds)
    if len(rows) > MIN_SELECTED_PAIRS:
        joins = _joins(intervals, others, rows, numbers)
        kept = without_containing(*joins) if is_final else best_per_edge(*joins, MAX_INTERVALS_PER_EDGE)
        rows, numbers = rows[kept], numbers[kept]
    return _pairs(intervals, others, rows, numbers)


def _pairs(
    intervals: Sequence[Interval], others: Sequence[Interval], rows: Numbers, numbers: Numbers
) -> Iterator[tuple[Interval, Interval]]:
    return ((intervals[row], others[number]) for row, number in zip(rows.tolist(), numbers.tolist(), strict=True))


def _joins(
    intervals: Sequence[Interval], others: Sequence[Interval], rows: Numbers, numbers: Numbers
) -> tuple[Scores, Scores, Scores]:
    """The starts, ends and scores of the joins of pairs, as of `Interval.join`."""
    (starts, ends, logs, weights), (other_starts, other_ends, other_logs, other_weights) = (
        columns[:, chosen] for columns, chosen in ((_for_joins(intervals), rows), (_for_joins(others), numbers))
    )
    scores = np.exp((logs + other_logs) / (weights + other_weights)).round(12)  # equal ones are so to the last digit
    return np.minimum(starts, other_starts), np.maximum(ends, other_ends), scores


def _for_joins(intervals: Sequence[Interval]) -> npt.NDArray[np.float64]:
    """Start, end, weighted logarithm of the score, and weight, float64 [4, n]; times that join with any unchanged for
    intervals that are everywhere."""
    return np.array(
        [
            (
                math.inf if interval.is_everywhere else interval.start_seconds,
                -math.inf if interval.is_everywhere else interval.end_seconds,
                interval.weight * math.log(max(interval.score, MIN_SCORE)),
                interval.weight,
            )
            for interval in intervals
        ]
    ).T


def _columns(
    intervals: Sequence[Interval], others: Sequence[Interval]
) -> tuple[SegmentArray, SegmentArray, Scores, Scores]:
    """The times float64 [n, 2] and [m, 2], and the scores float64 [n] and [m]."""
    scores = [np.array([interval.score for interval in each], dtype=np.float64) for each in (intervals, others)]
    return _times(intervals), _times(others), scores[0], scores[1]


def _times(intervals: Sequence[Interval]) -> SegmentArray:
    """Starts and ends in seconds, float64 [n, 2]."""
    return np.array([times_of(interval) for interval in intervals], dtype=np.float64).reshape(-1, 2)


def ordered_pairs(lasts: Sequence[Interval], later: Sequence[Interval], seconds: float) -> list[tuple[int, int]]:
    """The numbers of pairs in which the second may follow the first: it starts at most `seconds` after its end."""
    rows, numbers = pairs_in_order(*_columns(lasts, later), seconds)
    return list(zip(rows.tolist(), numbers.tolist(), strict=True))


def worst_overlaps(intervals: Sequence[Interval], excluded: Sequence[Interval]) -> list[float]:
    """For each interval the greatest score of those in `excluded` that overlap it; 0 without any."""
    worst = [0.0] * len(intervals)
    rows, numbers = overlapping_pairs(_times(intervals), _times(excluded))
    for row, number in zip(rows.tolist(), numbers.tolist(), strict=True):
        if excluded[number].score > worst[row] and intervals[row].overlaps(excluded[number]):
            worst[row] = excluded[number].score
    return worst


def keep_best(intervals: Iterable[Interval]) -> list[Interval]:
    """Best first: MAX_INTERVALS_PER_EDGE of those with the same start, or with the same end."""
    kept: list[Interval] = []
    by_start, by_end = Counter[float](), Counter[float]()
    for interval in sorted(intervals, key=rank_key):
        by_start[interval.start_seconds] += 1
        by_end[interval.end_seconds] += 1
        if min(by_start[interval.start_seconds], by_end[interval.end_seconds]) <= MAX_INTERVALS_PER_EDGE:
            kept.append(interval)
    return kept


def keep_best_chains(chains: Iterable[tuple[Interval, Interval]]) -> list[tuple[Interval, Interval]]:
    """Best first: MAX_INTERVALS_PER_EDGE of those with the same last interval, which decides what may follow."""
    kept: list[tuple[Interval, Interval]] = []
    by_last = Counter[Interval]()
    for chain, last in sorted(chains, key=lambda pair: rank_key(pair[0])):
        by_last[last] += 1
        if by_last[last] <= MAX_INTERVALS_PER_EDGE:
            kept.append((chain, last))
    return kept
