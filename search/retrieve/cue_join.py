"""Which cues of a term can be part of a match of the whole plan: a semi-join over all cues of its terms.

A cue can if there are cues of the terms next to it, as far as these match cues only. The limit on candidates applies
after that. Cues that overlap an excluded one come last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from pesearch.search.query.language.nodes import Literal, Sense, Words
from pesearch.search.query.operators import All, AtOnce, Either, InOrder, PlanNode, max_gap
from pesearch.search.query.plan import QueryPlan, Term
from pesearch.search.retrieve.cue_times import OVERLAP_SECONDS, CueTimes, Mask
from pesearch.search.retrieve.term_cues import FoundCues, TermCues
from pesearch.timeline import WINDOW_SECONDS

CHUNK_FACTOR = 8
"""If too few of the best cues of a term can match, so many times more are read, up to all: the last attempt takes 7/8
of the time of all."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A positive term in a plan: what must be near it, and what must not overlap."""

    term: int
    conditions: tuple[PlanNode, ...]
    excluded: tuple[PlanNode, ...]


class CueJoin:
    """The semi-joins of one query.

    cues: By term number; a term without cues is left out.
    limited: Terms of which more cues may match than are known.
    """

    def __init__(self, plan: QueryPlan, cues: Mapping[int, TermCues], limited: frozenset[int] = frozenset()) -> None:
        self._cues = cues
        self._required = {number for number, term in enumerate(plan.terms) if _is_in_cues_only(term)} - limited
        self._max_gap_seconds = max_gap(plan.root) + WINDOW_SECONDS  # as parts extend around a candidate
        self._occurrences = list(_occurrences(plan.root))

    def candidates(self, count: int) -> Iterator[FoundCues]:
        """Rankings of cues, best first, about `count` of each: every match of the plan that needs cues has one there.

        A term next to a rarer one that a match must have is left out: the cues of that one are in the same places.
        """
        for occurrence in self._occurrences:
            cues = self._cues.get(occurrence.term)
            if cues is not None and not self._is_covered(occurrence, cues, count):
                yield FoundCues.concatenate(self._split(occurrence, cues.across_lines))
                yield self._best(occurrence, cues, count)

    def _is_covered(self, occurrence: Occurrence, cues: TermCues, count: int) -> bool:
        needed = self._required & set(_necessary(occurrence.conditions))
        rarest = min(((self._count(term), term) for term in needed), default=None)
        if rarest is None or (cues.count, occurrence.term) < rarest:
            return False
        return occurrence.term in self._required or rarest[0] <= count

    def _count(self, term: int) -> int:
        return self._cues[term].count if term in self._cues else 0

    def _best(self, occurrence: Occurrence, cues: TermCues, count: int) -> FoundCues:
        size, found = count, cues.best(count)
        kept, overlapping = self._split(occurrence, found)
        while not found.is_complete and len(kept) < count:
            size *= CHUNK_FACTOR
            found = cues.best(size)
            kept, overlapping = self._split(occurrence, found)
        return kept if len(kept) >= count else FoundCues.concatenate([kept, overlapping])

    def _split(self, occurrence: Occurrence, found: FoundCues) -> tuple[FoundCues, FoundCues]:
        """The cues that can match, and those that could but overlap an excluded one."""
        for node in occurrence.conditions:
            found = found.take(self._can_match(node, found.times))
        overlaps = [self._overlaps(node, found.times) for node in occurrence.excluded]
        is_excluded = np.logical_or.reduce(overlaps) if overlaps else np.zeros(len(found), dtype=np.bool_)
        return found.take(~is_excluded), found.take(is_excluded)

    def _can_match(self, node: PlanNode, times: CueTimes) -> Mask:
        """Whether a node may match near each of some cues, bool [n]: a term that does not need cues may."""

        def of_term(term: int) -> Mask:
            return self._are_near(term, times, self._max_gap_seconds)

        return _evaluate(node, lambda term: of_term(term) if term in self._required else np.ones(len(times), np.bool_))

    def _overlaps(self, node: PlanNode, times: CueTimes) -> Mask:
        """Whether cues that match a node overlap each of some cues, bool [n]."""
        return _evaluate(node, lambda term: self._are_near(term, times, OVERLAP_SECONDS))

    def _are_near(self, term: int, times: CueTimes, seconds: float) -> Mask:
        if term not in self._cues or not len(times):
            return np.zeros(len(times), dtype=np.bool_)
        return times.are_near(self._cues[term].within(times.scope(max(seconds, 0.0))).times, seconds)


def _evaluate(node: PlanNode, of_term: Callable[[int], Mask]) -> Mask:
    match node:
        case Either(parts):
            return reduce(np.logical_or, [_evaluate(part, of_term) for part in parts])
        case All(parts) | InOrder(parts) | AtOnce(parts):
            return reduce(np.logical_and, [_evaluate(part, of_term) for part in parts])
        case term:
            return of_term(term)


def _occurrences(
    node: PlanNode, conditions: tuple[PlanNode, ...] = (), excluded: tuple[PlanNode, ...] = ()
) -> Iterator[Occurrence]:
    match node:
        case All(parts) | InOrder(parts) | AtOnce(parts):
            excluded += node.excluded if isinstance(node, All) else ()
            for number, part in enumerate(parts):
                yield from _occurrences(part, (*conditions, *parts[:number], *parts[number + 1 :]), excluded)
        case Either(parts):
            for part in parts:
                yield from _occurrences(part, conditions, excluded)
        case term:
            yield Occurrence(term, conditions, excluded)


def _necessary(nodes: Iterable[PlanNode]) -> Iterator[int]:
    """The terms that must match for all of `nodes` to match."""
    for node in nodes:
        match node:
            case All(parts) | InOrder(parts) | AtOnce(parts):
                yield from _necessary(parts)
            case int():
                yield node
            case _:
                pass


def _is_in_cues_only(term: Term) -> bool:
    """Whether a term is searched in no vectors, so that a match of it needs a cue."""
    if isinstance(term, Literal):
        return term.sense is not Sense.SAID
    return isinstance(term, Words) and term.sense is Sense.TEXT
