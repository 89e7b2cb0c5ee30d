"""The algebra of stretches in time: its laws, and what each combination means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.search.query.operators import DEFAULT_THEN_SECONDS, All, AtOnce, Either, InOrder, PlanNode
from pesearch.search.score.intervals import (
    MAX_INTERVALS,
    UNKNOWN_ORDER_FACTOR,
    Interval,
    combine,
    non_max_suppression,
    plan_upper_bound,
    rank_key,
)

TIMES = st.integers(0, 120).map(float)
SCORES = st.integers(0, 100).map(lambda percent: percent / 100)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    start, end = sorted((draw(TIMES), draw(TIMES)))
    return Interval(start, end, draw(SCORES), draw(st.sampled_from([0.5, 1.0, 2.0])))


MANY = st.lists(intervals(), max_size=6)
TERMS = st.lists(MANY, min_size=3, max_size=3)


def plans(parts: st.SearchStrategy[PlanNode]) -> st.SearchStrategy[PlanNode]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    limits = st.sampled_from([0.0, 5.0, 30.0])
    return st.one_of(
        st.builds(All, several, st.lists(parts, max_size=1).map(tuple), limits),
        st.builds(InOrder, several, limits),
        st.builds(Either, several),
        st.builds(AtOnce, several),
    )


PLANS = st.recursive(st.integers(0, 2), plans, max_leaves=5)


@given(PLANS, TERMS)
def test_an_answer_is_of_scores_in_0_to_1_best_first_and_nothing_in_it_overlaps(
    plan: PlanNode, terms: list[list[Interval]]
) -> None:
    found = combine(plan, terms.__getitem__)
    assert all(0 <= interval.score <= 1 for interval in found)
    assert [interval.score for interval in found] == sorted((interval.score for interval in found), reverse=True)
    assert not any(a.overlaps(b) for number, a in enumerate(found) for b in found[:number])


@given(PLANS, TERMS)
def test_an_answer_lies_where_something_was_found(plan: PlanNode, terms: list[list[Interval]]) -> None:
    starts = {interval.start_seconds for term in terms for interval in term}
    ends = {interval.end_seconds for term in terms for interval in term}
    for interval in combine(plan, terms.__getitem__):
        assert interval.start_seconds in starts
        assert interval.end_seconds in ends


@given(MANY, MANY)
def test_and_and_or_do_not_care_for_the_order_of_their_parts(one: list[Interval], other: list[Interval]) -> None:
    for kind in (All, Either):
        there, back = combine(kind((0, 1)), [one, other].__getitem__), combine(kind((1, 0)), [one, other].__getitem__)
        assert [each.score for each in there] == pytest.approx([each.score for each in back])


@given(MANY, MANY)
def test_what_is_not_there_takes_nothing_away_and_what_is_takes_all(one: list[Interval], other: list[Interval]) -> None:
    away = [Interval(interval.start_seconds + 1000, interval.end_seconds + 1000, interval.score) for interval in other]
    assert combine(All((0,), (1,)), [one, away].__getitem__) == combine(0, [one].__getitem__)
    sure = [Interval(interval.start_seconds, interval.end_seconds, 1.0) for interval in one]
    assert all(interval.score == 0 for interval in combine(All((0,), (1,)), [one, sure].__getitem__))


@given(st.lists(intervals(), max_size=12))
def test_of_stretches_that_overlap_the_best_is_kept(given: list[Interval]) -> None:
    kept = non_max_suppression(given)
    for interval in given:
        assert any(interval == other or (interval.overlaps(other) and other.score >= interval.score) for other in kept)


SIREN, TRAIN, LATE = Interval(0.5, 2.8, 0.9), Interval(3.0, 5.6, 0.4), Interval(60.0, 62.0, 0.9)


def answer(plan: PlanNode, *terms: Sequence[Interval]) -> list[Interval]:
    return combine(plan, terms.__getitem__)


def test_both_are_from_the_first_start_to_the_last_end_with_the_mean_of_their_scores() -> None:
    (both,) = answer(All((0, 1)), [SIREN], [TRAIN])
    assert (both.start_seconds, both.end_seconds) == (0.5, 5.6)
    assert both.score == pytest.approx((0.9 * 0.4) ** 0.5)


def test_a_weight_counts_as_that_many_terms() -> None:
    heavy = Interval(3.0, 5.6, 0.4, weight=2.0)
    (both,) = answer(All((0, 1)), [SIREN], [heavy])
    assert both.score == pytest.approx((0.9 * 0.4 * 0.4) ** (1 / 3))


def test_what_is_too_far_apart_is_no_moment() -> None:
    assert answer(All((0, 1)), [SIREN], [LATE]) == []
    assert answer(All((0, 1), within_seconds=0.1), [SIREN], [TRAIN]) == []
    assert answer(All((0, 1), within_seconds=60.0), [SIREN], [LATE])


def test_what_comes_before_does_not_follow() -> None:
    assert answer(InOrder((0, 1)), [SIREN], [TRAIN])
    assert answer(InOrder((1, 0)), [SIREN], [TRAIN]) == []
    assert answer(InOrder((0, 1)), [SIREN], [Interval(3.0 + DEFAULT_THEN_SECONDS, 40.0, 0.9)]) == []


def test_three_in_order_follow_one_another() -> None:
    (chain,) = answer(InOrder((0, 1, 2), within_seconds=100.0), [SIREN], [TRAIN], [LATE])
    assert (chain.start_seconds, chain.end_seconds) == (0.5, 62.0)
    assert answer(InOrder((0, 2, 1), within_seconds=100.0), [SIREN], [TRAIN], [LATE]) == []


def test_where_no_order_can_be_told_little_is_left_of_the_score() -> None:
    window = Interval(0.0, 10.0, 0.9)
    (unsure,) = answer(InOrder((0, 1)), [window], [window])
    assert unsure.score == pytest.approx(UNKNOWN_ORDER_FACTOR * 0.9)


def test_several_ways_to_ask_for_one_thing_take_the_tightest_place() -> None:
    (found,) = answer(AtOnce((0, 1)), [Interval(0.0, 10.0, 0.5)], [SIREN])
    assert (found.start_seconds, found.end_seconds) == (SIREN.start_seconds, SIREN.end_seconds)
    assert found.score == pytest.approx((0.5 * 0.9) ** 0.5)


@given(st.lists(intervals(), max_size=40))
def test_apart_keeps_what_overlaps_none_of_the_better_ones(given_stretches: list[Interval]) -> None:
    kept: list[Interval] = []
    for interval in sorted(given_stretches, key=rank_key):
        if not any(interval.overlaps(other) for other in kept):
            kept.append(interval)
    assert non_max_suppression(given_stretches) == kept


@given(PLANS, TERMS)
def test_nothing_scores_more_than_the_best_of_its_terms_allow(plan: PlanNode, terms: list[list[Interval]]) -> None:
    weights = (0.5, 1.0, 2.0)
    terms = [
        [replace(interval, weight=weight) for interval in term] for term, weight in zip(terms, weights, strict=True)
    ]
    best = [
        Interval(0.0, 0.0, max((interval.score for interval in term), default=0.0), weight)
        for term, weight in zip(terms, weights, strict=True)
    ]
    bound = plan_upper_bound(plan, best.__getitem__)
    assert all(interval.score <= bound + 1e-12 for interval in combine(plan, terms.__getitem__))


def test_the_same_still_twice_is_one_moment() -> None:
    still = Interval(0.0, 0.0, 0.5)
    assert non_max_suppression([still, still]) == [still]
    assert len(answer(All((0, 1)), [still], [still])) == 1


def test_thousands_of_stretches_are_cut_to_the_best() -> None:
    many = [Interval(float(n), n + 0.5, n / 5000) for n in range(5000)]
    found = answer(All((0, 1, 2), within_seconds=1.0), many, many, many)
    assert 0 < len(found) <= MAX_INTERVALS
    assert found[0].end_seconds == 4999.5
