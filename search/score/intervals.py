"""The algebra of a query in time: from stretches of a file that answer its terms to stretches that answer it whole.

Scores are probabilities. What must hold together is joined by the geometric mean of the scores, by their weights, so
that a question of many terms keeps the scale of a question of one; what must not hold takes away its own probability.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from pesearch.search.query.operators import All, AtOnce, Either, InOrder, Plan

UNKNOWN_ORDER = 0.25
"""What a THEN keeps of its score where both were found in the same stretch only, so that no order can be told."""

MAX_INTERVALS = 48
"""So many of the best stretches of a file are kept for each part of a query."""

_LEAST_SCORE = 1e-9


@dataclass(frozen=True, slots=True)
class Interval:
    """A part of one file that answers with a score in 0..1. `weight` is how much of the query it answers.

    What `is_everywhere`, such as a title, holds of the whole file and says nothing about when.
    """

    start_seconds: float
    end_seconds: float
    score: float
    weight: float = 1.0
    is_everywhere: bool = False

    def gap(self, other: Interval) -> float:
        """How many seconds lie between both; negative where they share time."""
        return max(other.start_seconds - self.end_seconds, self.start_seconds - other.end_seconds)

    def overlaps(self, other: Interval) -> bool:
        """Whether both share time; two that only touch do not, the same instant twice does."""
        if (self.start_seconds, self.end_seconds) == (other.start_seconds, other.end_seconds):
            return True
        return self.gap(other) < 0

    def joined(self, other: Interval, share: float = 1.0) -> Interval:
        """From the earlier start to the later end, with the mean of both scores, of which `share` is kept."""
        weight = self.weight + other.weight
        logs = self.weight * math.log(max(self.score, _LEAST_SCORE)) + other.weight * math.log(
            max(other.score, _LEAST_SCORE)
        )
        a = other if self.is_everywhere and not other.is_everywhere else self
        b = self if other.is_everywhere and not self.is_everywhere else other
        return Interval(
            min(a.start_seconds, b.start_seconds),
            max(a.end_seconds, b.end_seconds),
            share * math.exp(logs / weight),
            weight,
            self.is_everywhere and other.is_everywhere,
        )


Found = Callable[[int], Sequence[Interval]]
"""The stretches of a file that answer a term."""


def combine(plan: Plan, found: Found) -> list[Interval]:
    """The stretches that answer a plan, best first; none of them overlap."""
    return non_max_suppression(_evaluate(plan, found))


def _evaluate(plan: Plan, found: Found) -> list[Interval]:
    match plan:
        case All():
            return _together(plan, found)
        case InOrder():
            return _in_order(plan, found)
        case AtOnce(parts):
            return _at_once(parts, found)
        case Either(parts):
            return _best(non_max_suppression(stretch for part in parts for stretch in _evaluate(part, found)))
        case term:
            return _best(found(term))


def _together(plan: All, found: Found) -> list[Interval]:
    first, *others = [_evaluate(part, found) for part in plan.parts]
    for other in others:
        first = _best(a.joined(b) for a, b in _near(first, other, plan.within_seconds))
    for part in plan.excluded:
        excluded = _evaluate(part, found)
        first = [_without(stretch, excluded) for stretch in first]
    return first


def _at_once(parts: Sequence[Plan], found: Found) -> list[Interval]:
    """The stretch is that of the part that is placed the tightest."""
    first, *others = [_evaluate(part, found) for part in parts]
    for other in others:
        first = _best(_tighter(a, b) for a, b in _near(first, other, 0.0) if a.overlaps(b))
    return first


def _near(some: Sequence[Interval], others: Sequence[Interval], seconds: float) -> Iterator[tuple[Interval, Interval]]:
    """The pairs with at most so much time between both."""
    a, b = _edges(some)[:, None], _edges(others)[None]
    gaps = np.maximum(b[..., 0] - a[..., 1], a[..., 0] - b[..., 1])
    return ((some[row], others[column]) for row, column in np.argwhere(gaps <= seconds).tolist())


def _edges(stretches: Sequence[Interval]) -> npt.NDArray[np.float64]:
    """Starts and ends, [n, 2]."""
    return np.array([_place(stretch) for stretch in stretches]).reshape(-1, 2)


def _tighter(a: Interval, b: Interval) -> Interval:
    both = a.joined(b)
    tight = min(a, b, key=lambda one: one.end_seconds - one.start_seconds)
    return Interval(tight.start_seconds, tight.end_seconds, both.score, both.weight, both.is_everywhere)


def _in_order(plan: InOrder, found: Found) -> list[Interval]:
    """The last one found is what the next must follow."""
    chains = [(stretch, stretch) for stretch in _evaluate(plan.parts[0], found)]
    for part in plan.parts[1:]:
        lasts, later = [last for _, last in chains], _evaluate(part, found)
        late = _edges(later)[None, :, 0] - _edges(lasts)[:, None, 1]
        following = [
            (chains[row][0].joined(later[column], share), later[column])
            for row, column in np.argwhere(late <= plan.within_seconds).tolist()
            if (share := _order(lasts[row], later[column], plan.within_seconds))
        ]
        chains = sorted(following, key=lambda pair: best_first(pair[0]))[:MAX_INTERVALS]
    return [chain for chain, _ in chains]


def _order(earlier: Interval, later: Interval, within_seconds: float) -> float:
    """How far the second follows the first: 1, UNKNOWN_ORDER where they cover each other, 0."""
    if later.start_seconds - earlier.end_seconds > within_seconds or later.end_seconds <= earlier.start_seconds:
        return 0.0
    middle = (earlier.start_seconds + earlier.end_seconds) / 2
    if later.start_seconds >= middle and later.end_seconds > earlier.end_seconds:
        return 1.0
    covers = earlier.start_seconds <= later.start_seconds and later.end_seconds <= earlier.end_seconds
    covered = later.start_seconds <= earlier.start_seconds and earlier.end_seconds <= later.end_seconds
    return UNKNOWN_ORDER if covers or covered else 0.0


def _without(stretch: Interval, excluded: Iterable[Interval]) -> Interval:
    """The stretch, less the probability of what must not be in it."""
    worst = max((other.score for other in excluded if stretch.overlaps(other)), default=0.0)
    return replace(stretch, score=stretch.score * (1 - worst))


def best_first(stretch: Interval) -> tuple[float, float, float]:
    """Sort key: the better score, then the tighter and the earlier stretch, so that the same ranks the same."""
    return (-stretch.score, stretch.end_seconds - stretch.start_seconds, stretch.start_seconds)


def _best(stretches: Iterable[Interval]) -> list[Interval]:
    return sorted(stretches, key=best_first)[:MAX_INTERVALS]


def non_max_suppression(stretches: Iterable[Interval]) -> list[Interval]:
    """Those of which none overlaps a better one, best first: one moment is listed once."""
    chosen: list[Interval] = []
    by_time: list[Interval] = []
    for stretch in sorted(stretches, key=best_first):
        at = bisect_right(by_time, _place(stretch), key=_place)
        if not any(stretch.overlaps(other) for other in by_time[max(at - 1, 0) : at + 1]):
            chosen.append(stretch)
            by_time.insert(at, stretch)
    return chosen


def _place(stretch: Interval) -> tuple[float, float]:
    return stretch.start_seconds, stretch.end_seconds


def most(plan: Plan, best: Callable[[int], Interval]) -> float:
    """No stretch that answers a plan scores more, when those that answer a term score at most as `best` of it."""
    return max(each.score for each in _most(plan, best))


def _most(plan: Plan, best: Callable[[int], Interval]) -> list[Interval]:
    match plan:
        case All(parts) | InOrder(parts) | AtOnce(parts):
            first, *others = [_most(part, best) for part in parts]
            for other in others:
                first = _of_each_weight(a.joined(b) for a, b in product(first, other))
            return first
        case Either(parts):
            return _of_each_weight(each for part in parts for each in _most(part, best))
        case term:
            return [best(term)]


def _of_each_weight(stretches: Iterable[Interval]) -> list[Interval]:
    found: dict[float, Interval] = {}
    for stretch in stretches:
        if stretch.weight not in found or found[stretch.weight].score < stretch.score:
            found[stretch.weight] = stretch
    return list(found.values())
