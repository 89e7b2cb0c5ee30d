"""Interval algebra: combines the intervals of a file that match single terms to intervals that match the whole plan.

Scores are probabilities. The scores of parts that must occur together are joined by their weighted geometric mean, so
that queries of many terms and of one have the same scale. An excluded part multiplies a score by its complement.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt

from pesearch.search.query.operators import All, AtOnce, Either, InOrder, PlanNode
from pesearch.search.score.interval import MIN_SCORE, Interval, rank_key, times_of
from pesearch.search.score.interval_joins import (
    keep_best,
    keep_best_chains,
    near_pairs,
    ordered_pairs,
    pairs_to_join,
    worst_overlaps,
)

UNKNOWN_ORDER_FACTOR = 0.25
"""Factor on the score of a THEN whose parts match in the same interval only, so that their order is unknown."""

Scores = npt.NDArray[np.float64]

ROUNDING = 1 + 1e-12
"""An upper bound is this much higher than its formula, whose logarithms are rounded."""

TermIntervals = Callable[[int], Sequence[Interval]]
"""Returns the intervals of a file that match a term, by its number."""


@dataclass(frozen=True, slots=True, eq=False)
class TermBounds:
    """Upper bounds float64 [parts] of the scores of a term in several parts of files, and the weight of the term."""

    scores: Scores
    weight: float


def combine(node: PlanNode, term_intervals: TermIntervals) -> list[Interval]:
    """The intervals that match a plan, best first, without overlaps."""
    if isinstance(node, All):
        return non_max_suppression(_evaluate_all(node, term_intervals, is_root=True))
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


def _evaluate_all(node: All, term_intervals: TermIntervals, is_root: bool = False) -> list[Interval]:
    first, *others = [_evaluate(part, term_intervals) for part in node.parts]
    for number, other in enumerate(others, start=1):
        is_final = is_root and number == len(others)
        first = keep_best(a.join(b) for a, b in pairs_to_join(first, other, node.within_seconds, is_final))
    for part in node.excluded:
        first = _without(first, _evaluate(part, term_intervals))
    return first


def _evaluate_at_once(parts: Sequence[PlanNode], term_intervals: TermIntervals) -> list[Interval]:
    """The result has the times of the shortest interval."""
    first, *others = [_evaluate(part, term_intervals) for part in parts]
    for other in others:
        first = keep_best(_join_tightly(a, b) for a, b in near_pairs(first, other, 0.0) if a.overlaps(b))
    return first


def _join_tightly(a: Interval, b: Interval) -> Interval:
    both = a.join(b)
    shorter = min(a, b, key=lambda interval: interval.end_seconds - interval.start_seconds)
    return Interval(shorter.start_seconds, shorter.end_seconds, both.score, both.weight, both.is_everywhere)


def _evaluate_in_order(node: InOrder, term_intervals: TermIntervals) -> list[Interval]:
    """Each chain keeps its last interval, which the next part must follow."""
    chains = [(interval, interval) for interval in _evaluate(node.parts[0], term_intervals)]
    for part in node.parts[1:]:
        lasts, later = [last for _, last in chains], _evaluate(part, term_intervals)
        following = [
            (chains[row][0].join(later[number], factor), later[number])
            for row, number in ordered_pairs(lasts, later, node.within_seconds)
            if (factor := _order_factor(lasts[row], later[number], node.within_seconds))
        ]
        chains = keep_best_chains(following)
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
    worst = worst_overlaps(intervals, excluded)
    return [
        replace(interval, score=interval.score * (1 - reduction))
        for interval, reduction in zip(intervals, worst, strict=True)
    ]


def non_max_suppression(intervals: Iterable[Interval]) -> list[Interval]:
    """Drops intervals that overlap a better one that is kept; the rest is best first."""
    best_first = sorted(intervals, key=rank_key)
    if not any(before.overlaps(after) for before, after in pairwise(sorted(best_first, key=times_of))):
        return best_first  # as are those of thousands of cues
    chosen: list[Interval] = []
    by_time: list[Interval] = []
    for interval in best_first:
        at = bisect_right(by_time, times_of(interval), key=times_of)
        if not any(interval.overlaps(other) for other in by_time[max(at - 1, 0) : at + 1]):
            chosen.append(interval)
            by_time.insert(at, interval)
    return chosen


def plan_upper_bounds(node: PlanNode, best: Callable[[int], TermBounds]) -> Scores:
    """Upper bounds [parts] of the scores of `combine` in several parts of files, from those of each term."""
    bounds: Scores = ROUNDING * np.exp(np.maximum.reduce(list(_log_bounds(node, best).values())))
    return bounds


def _log_bounds(node: PlanNode, best: Callable[[int], TermBounds]) -> dict[float, Scores]:
    """The logarithms of the bounds [parts] by weight."""
    match node:
        case All(parts) | InOrder(parts) | AtOnce(parts):
            first, *others = [_log_bounds(part, best) for part in parts]
            for other in others:
                first = _greatest(
                    (a + b, (a * first[a] + b * other[b]) / (a + b)) for a, b in product(first, other)
                )  # the weighted geometric mean of Interval.join
            return first
        case Either(parts):
            return _greatest(bound for part in parts for bound in _log_bounds(part, best).items())
        case term:
            found = best(term)
            return {found.weight: np.log(np.maximum(found.scores, MIN_SCORE))}


def _greatest(bounds: Iterable[tuple[float, Scores]]) -> dict[float, Scores]:
    greatest: dict[float, Scores] = {}
    for weight, bound in bounds:
        greatest[weight] = np.maximum(greatest.get(weight, bound), bound)
    return greatest
