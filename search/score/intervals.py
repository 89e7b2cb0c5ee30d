"""Interval algebra: combines the intervals of a file that match single terms to intervals that match the whole plan.

Scores are probabilities. The scores of parts that must occur together are joined by their weighted geometric mean, so
that queries of many terms and of one have the same scale. An excluded part multiplies a score by its complement.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from pesearch.search.query.operators import All, AtOnce, Either, InOrder, PlanNode
from pesearch.search.score.interval_pairs import Scores, overlapping_pairs, pairs_in_order, pairs_in_reach
from pesearch.types import SegmentArray

UNKNOWN_ORDER_FACTOR = 0.25
"""Factor on the score of a THEN whose parts match in the same interval only, so that their order is unknown."""

MAX_INTERVALS = 48
"""A certainty track makes at most this many intervals: those of its highest peaks."""

MAX_INTERVALS_PER_EDGE = 8
"""Of the combined intervals that start at the same time, this many are kept, and of those that end at the same time.

They overlap, so an answer shows at most one of each. Whether something else is within reach of an interval depends on
its two edges, and each edge is kept: the limit decides which of overlapping intervals is shown, never whether one is.
"""

_MIN_SCORE = 1e-9


@dataclass(frozen=True, slots=True)
class Interval:
    """A time range of one file that matches with a score in 0..1.

    weight: The summed weight of the terms that it matches.
    is_everywhere: The match describes the whole file, such as its title, and not a time in it.
    """

    start_seconds: float
    end_seconds: float
    score: float
    weight: float = 1.0
    is_everywhere: bool = False

    def gap(self, other: Interval) -> float:
        """Seconds between two intervals; negative if they overlap."""
        return max(other.start_seconds - self.end_seconds, self.start_seconds - other.end_seconds)

    def overlaps(self, other: Interval) -> bool:
        """Whether two intervals overlap. Touching is not overlapping; equal intervals of zero length do overlap."""
        if (self.start_seconds, self.end_seconds) == (other.start_seconds, other.end_seconds):
            return True
        return self.gap(other) < 0

    def join(self, other: Interval, factor: float = 1.0) -> Interval:
        """From the earlier start to the later end, with the weighted mean of both scores multiplied by `factor`."""
        weight = self.weight + other.weight
        logs = self.weight * math.log(max(self.score, _MIN_SCORE)) + other.weight * math.log(
            max(other.score, _MIN_SCORE)
        )
        a = other if self.is_everywhere and not other.is_everywhere else self
        b = self if other.is_everywhere and not self.is_everywhere else other
        return Interval(
            min(a.start_seconds, b.start_seconds),
            max(a.end_seconds, b.end_seconds),
            factor * math.exp(logs / weight),
            weight,
            self.is_everywhere and other.is_everywhere,
        )


TermIntervals = Callable[[int], Sequence[Interval]]
"""Returns the intervals of a file that match a term, by its number."""


def combine(node: PlanNode, term_intervals: TermIntervals) -> list[Interval]:
    """The intervals that match a plan, best first, without overlaps."""
    return non_max_suppression(_evaluate(node, term_intervals))


def _evaluate(node: PlanNode, term_intervals: TermIntervals) -> list[Interval]:
    match node:
        case All():
            return _evaluate_all(node, term_intervals)
        case InOrder():
            return _evaluate_in_order(node, term_intervals)
        case AtOnce(parts):
            return _evaluate_at_once(parts, term_intervals)
        case Either(parts):
            return non_max_suppression(interval for part in parts for interval in _evaluate(part, term_intervals))
        case term:
            return list(term_intervals(term))


def _evaluate_all(node: All, term_intervals: TermIntervals) -> list[Interval]:
    first, *others = [_evaluate(part, term_intervals) for part in node.parts]
    for other in others:
        first = _keep_best(a.join(b) for a, b in _near_pairs(first, other, node.within_seconds))
    for part in node.excluded:
        first = _without(first, _evaluate(part, term_intervals))
    return first


def _evaluate_at_once(parts: Sequence[PlanNode], term_intervals: TermIntervals) -> list[Interval]:
    """The result has the times of the shortest interval."""
    first, *others = [_evaluate(part, term_intervals) for part in parts]
    for other in others:
        first = _keep_best(_join_tightly(a, b) for a, b in _near_pairs(first, other, 0.0) if a.overlaps(b))
    return first


def _near_pairs(
    intervals: Sequence[Interval], others: Sequence[Interval], seconds: float
) -> Iterator[tuple[Interval, Interval]]:
    """The pairs that are at most `seconds` apart."""
    rows, columns = pairs_in_reach(*_columns(intervals, others), seconds)
    return ((intervals[row], others[column]) for row, column in zip(rows.tolist(), columns.tolist(), strict=True))


def _columns(
    intervals: Sequence[Interval], others: Sequence[Interval]
) -> tuple[SegmentArray, SegmentArray, Scores, Scores]:
    """The times float64 [n, 2] and [m, 2], and the scores float64 [n] and [m]."""
    scores = [np.array([interval.score for interval in each], dtype=np.float64) for each in (intervals, others)]
    return _times_of(intervals), _times_of(others), scores[0], scores[1]


def _times_of(intervals: Sequence[Interval]) -> SegmentArray:
    """Starts and ends in seconds, float64 [n, 2]."""
    return np.array([_times(interval) for interval in intervals], dtype=np.float64).reshape(-1, 2)


def _join_tightly(a: Interval, b: Interval) -> Interval:
    both = a.join(b)
    shorter = min(a, b, key=lambda interval: interval.end_seconds - interval.start_seconds)
    return Interval(shorter.start_seconds, shorter.end_seconds, both.score, both.weight, both.is_everywhere)


def _evaluate_in_order(node: InOrder, term_intervals: TermIntervals) -> list[Interval]:
    """Each chain keeps its last interval, which the next part must follow."""
    chains = [(interval, interval) for interval in _evaluate(node.parts[0], term_intervals)]
    for part in node.parts[1:]:
        lasts, later = [last for _, last in chains], _evaluate(part, term_intervals)
        rows, columns = pairs_in_order(*_columns(lasts, later), node.within_seconds)
        following = [
            (chains[row][0].join(later[column], factor), later[column])
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
            if (factor := _order_factor(lasts[row], later[column], node.within_seconds))
        ]
        chains = _keep_best_chains(following)
    return [chain for chain, _ in chains]


def _order_factor(earlier: Interval, later: Interval, within_seconds: float) -> float:
    """1 if the second interval follows the first, UNKNOWN_ORDER_FACTOR if one contains the other, else 0."""
    if later.start_seconds - earlier.end_seconds > within_seconds or later.end_seconds <= earlier.start_seconds:
        return 0.0
    middle = (earlier.start_seconds + earlier.end_seconds) / 2
    if later.start_seconds >= middle and later.end_seconds > earlier.end_seconds:
        return 1.0
    covers = earlier.start_seconds <= later.start_seconds and later.end_seconds <= earlier.end_seconds
    covered = later.start_seconds <= earlier.start_seconds and earlier.end_seconds <= later.end_seconds
    return UNKNOWN_ORDER_FACTOR if covers or covered else 0.0


def _without(intervals: Sequence[Interval], excluded: Sequence[Interval]) -> list[Interval]:
    """The intervals with their scores reduced by the best overlapping excluded interval."""
    worst = [0.0] * len(intervals)
    rows, columns = overlapping_pairs(_times_of(intervals), _times_of(excluded))
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if excluded[column].score > worst[row] and intervals[row].overlaps(excluded[column]):
            worst[row] = excluded[column].score
    return [
        replace(interval, score=interval.score * (1 - reduction))
        for interval, reduction in zip(intervals, worst, strict=True)
    ]


def rank_key(interval: Interval) -> tuple[float, float, float]:
    """Sort key: higher score first, then the shorter, then the earlier interval."""
    return (-interval.score, interval.end_seconds - interval.start_seconds, interval.start_seconds)


def _keep_best(intervals: Iterable[Interval]) -> list[Interval]:
    """Best first: MAX_INTERVALS_PER_EDGE of those with the same start, or with the same end."""
    kept: list[Interval] = []
    by_start, by_end = Counter[float](), Counter[float]()
    for interval in sorted(intervals, key=rank_key):
        by_start[interval.start_seconds] += 1
        by_end[interval.end_seconds] += 1
        if min(by_start[interval.start_seconds], by_end[interval.end_seconds]) <= MAX_INTERVALS_PER_EDGE:
            kept.append(interval)
    return kept


def _keep_best_chains(chains: Iterable[tuple[Interval, Interval]]) -> list[tuple[Interval, Interval]]:
    """Best first: MAX_INTERVALS_PER_EDGE of those with the same last interval, which decides what may follow."""
    kept: list[tuple[Interval, Interval]] = []
    by_last = Counter[Interval]()
    for chain, last in sorted(chains, key=lambda pair: rank_key(pair[0])):
        by_last[last] += 1
        if by_last[last] <= MAX_INTERVALS_PER_EDGE:
            kept.append((chain, last))
    return kept


def non_max_suppression(intervals: Iterable[Interval]) -> list[Interval]:
    """Drops intervals that overlap a better one that is kept; the rest is best first."""
    chosen: list[Interval] = []
    by_time: list[Interval] = []
    for interval in sorted(intervals, key=rank_key):
        at = bisect_right(by_time, _times(interval), key=_times)
        if not any(interval.overlaps(other) for other in by_time[max(at - 1, 0) : at + 1]):
            chosen.append(interval)
            by_time.insert(at, interval)
    return chosen


def _times(interval: Interval) -> tuple[float, float]:
    return interval.start_seconds, interval.end_seconds


def plan_upper_bound(node: PlanNode, best: Callable[[int], Interval]) -> float:
    """An upper bound of the scores of `combine`, where `best(term)` has the greatest score of each term."""
    return max(bound.score for bound in _bounds(node, best))


def _bounds(node: PlanNode, best: Callable[[int], Interval]) -> list[Interval]:
    match node:
        case All(parts) | InOrder(parts) | AtOnce(parts):
            first, *others = [_bounds(part, best) for part in parts]
            for other in others:
                first = _best_of_each_weight(a.join(b) for a, b in product(first, other))
            return first
        case Either(parts):
            return _best_of_each_weight(bound for part in parts for bound in _bounds(part, best))
        case term:
            return [best(term)]


def _best_of_each_weight(intervals: Iterable[Interval]) -> list[Interval]:
    best: dict[float, Interval] = {}
    for interval in intervals:
        if interval.weight not in best or best[interval.weight].score < interval.score:
            best[interval.weight] = interval
    return list(best.values())
