"""Interval algebra: its laws, and the result of each operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.search.query.operators import DEFAULT_THEN_SECONDS, All, AtOnce, Either, InOrder, PlanNode
from pesearch.search.score import interval_joins, interval_pairs
from pesearch.search.score.interval import Interval, rank_key
from pesearch.search.score.interval_joins import _columns
from pesearch.search.score.intervals import TermBounds, combine, non_max_suppression, plan_upper_bounds

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
def test_combined_intervals_are_sorted_by_score_and_do_not_overlap(plan: PlanNode, terms: list[list[Interval]]) -> None:
    found = combine(plan, terms.__getitem__)
    assert all(0 <= interval.score <= 1 for interval in found)
    assert [interval.score for interval in found] == sorted((interval.score for interval in found), reverse=True)
    assert not any(a.overlaps(b) for number, a in enumerate(found) for b in found[:number])


@given(PLANS, TERMS)
def test_combined_intervals_start_and_end_at_those_of_terms(plan: PlanNode, terms: list[list[Interval]]) -> None:
    starts = {interval.start_seconds for term in terms for interval in term}
    ends = {interval.end_seconds for term in terms for interval in term}
    for interval in combine(plan, terms.__getitem__):
        assert interval.start_seconds in starts
        assert interval.end_seconds in ends


@given(MANY, MANY)
def test_and_and_or_are_commutative(one: list[Interval], other: list[Interval]) -> None:
    for kind in (All, Either):
        forward, backward = (
            combine(kind((0, 1)), [one, other].__getitem__),
            combine(kind((1, 0)), [one, other].__getitem__),
        )
        assert [each.score for each in forward] == pytest.approx([each.score for each in backward])


@given(MANY, MANY)
def test_a_distant_exclusion_has_no_effect_and_a_certain_one_removes_all(
    one: list[Interval], other: list[Interval]
) -> None:
    distant = [
        Interval(interval.start_seconds + 1000, interval.end_seconds + 1000, interval.score) for interval in other
    ]
    assert combine(All((0,), (1,)), [one, distant].__getitem__) == combine(0, [one].__getitem__)
    certain = [Interval(interval.start_seconds, interval.end_seconds, 1.0) for interval in one]
    assert all(interval.score == 0 for interval in combine(All((0,), (1,)), [one, certain].__getitem__))


@given(st.lists(intervals(), max_size=12))
def test_a_dropped_interval_overlaps_a_better_one(given: list[Interval]) -> None:
    kept = non_max_suppression(given)
    for interval in given:
        assert any(interval == other or (interval.overlaps(other) and other.score >= interval.score) for other in kept)


SIREN, TRAIN, LATE = Interval(0.5, 2.8, 0.9), Interval(3.0, 5.6, 0.4), Interval(60.0, 62.0, 0.9)


def combined(plan: PlanNode, *terms: Sequence[Interval]) -> list[Interval]:
    return combine(plan, terms.__getitem__)


def test_and_spans_both_parts_with_the_geometric_mean() -> None:
    (both,) = combined(All((0, 1)), [SIREN], [TRAIN])
    assert (both.start_seconds, both.end_seconds) == (0.5, 5.6)
    assert both.score == pytest.approx((0.9 * 0.4) ** 0.5)


def test_a_weight_of_two_counts_as_two_terms() -> None:
    heavy = Interval(3.0, 5.6, 0.4, weight=2.0)
    (both,) = combined(All((0, 1)), [SIREN], [heavy])
    assert both.score == pytest.approx((0.9 * 0.4 * 0.4) ** (1 / 3))


def test_and_has_a_time_limit() -> None:
    assert combined(All((0, 1)), [SIREN], [LATE]) == []
    assert combined(All((0, 1), within_seconds=0.1), [SIREN], [TRAIN]) == []
    assert combined(All((0, 1), within_seconds=60.0), [SIREN], [LATE])


def test_then_needs_the_order_and_has_a_time_limit() -> None:
    assert combined(InOrder((0, 1)), [SIREN], [TRAIN])
    assert combined(InOrder((1, 0)), [SIREN], [TRAIN]) == []
    assert combined(InOrder((0, 1)), [SIREN], [Interval(3.0 + DEFAULT_THEN_SECONDS, 40.0, 0.9)]) == []


def test_then_of_three_parts() -> None:
    (chain,) = combined(InOrder((0, 1, 2), within_seconds=100.0), [SIREN], [TRAIN], [LATE])
    assert (chain.start_seconds, chain.end_seconds) == (0.5, 62.0)
    assert combined(InOrder((0, 2, 1), within_seconds=100.0), [SIREN], [TRAIN], [LATE]) == []


def test_an_unknown_order_keeps_a_quarter_of_the_score() -> None:
    window = Interval(0.0, 10.0, 0.9)
    (unsure,) = combined(InOrder((0, 1)), [window], [window])
    assert unsure.score == pytest.approx(0.25 * 0.9)


def test_descriptions_of_one_thing_take_the_times_of_the_shortest() -> None:
    (found,) = combined(AtOnce((0, 1)), [Interval(0.0, 10.0, 0.5)], [SIREN])
    assert (found.start_seconds, found.end_seconds) == (SIREN.start_seconds, SIREN.end_seconds)
    assert found.score == pytest.approx((0.5 * 0.9) ** 0.5)


@given(st.lists(intervals(), max_size=40))
def test_non_max_suppression_equals_a_direct_implementation(given_stretches: list[Interval]) -> None:
    kept: list[Interval] = []
    for interval in sorted(given_stretches, key=rank_key):
        if not any(interval.overlaps(other) for other in kept):
            kept.append(interval)
    assert non_max_suppression(given_stretches) == kept


@given(PLANS, TERMS)
def test_no_interval_exceeds_the_upper_bound(plan: PlanNode, terms: list[list[Interval]]) -> None:
    weights = (0.5, 1.0, 2.0)
    terms = [
        [replace(interval, weight=weight) for interval in term] for term, weight in zip(terms, weights, strict=True)
    ]
    best = [
        TermBounds(np.array([max((interval.score for interval in term), default=0.0), 1.0]), weight)
        for term, weight in zip(terms, weights, strict=True)
    ]
    bound, certain = plan_upper_bounds(plan, best.__getitem__)
    assert all(interval.score <= bound + 1e-12 for interval in combine(plan, terms.__getitem__))
    assert 1.0 <= certain < 1.0 + 1e-9


def test_equal_intervals_of_zero_length_are_one() -> None:
    still = Interval(0.0, 0.0, 0.5)
    assert non_max_suppression([still, still]) == [still]
    assert len(combined(All((0, 1)), [still], [still])) == 1


def test_all_of_thousands_of_intervals_are_combined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interval_pairs, "MAX_ALL_PAIRS", 0)
    many = [Interval(2.0 * n, 2.0 * n + 1.5, 0.9) for n in range(5000)]
    after_each = [Interval(2.0 * n + 1.6, 2.0 * n + 1.9, 0.9) for n in range(5000)]
    assert len(combined(All((0, 1), within_seconds=0.2), many, after_each)) == 5000
    assert len(combined(InOrder((0, 1), within_seconds=0.2), many, after_each)) == 5000
    last = [Interval(9998.0, 9999.5, 0.9)]
    assert len(combined(0, many)) == len(combined(AtOnce((0, 1)), many, many)) == 5000
    assert len(combined(Either((0, 1)), many, [Interval(-1.0, -0.5, 0.1)])) == 5001
    assert [found.end_seconds for found in combined(All((0, 1)), many, last)] == [9999.5]
    (tight,) = combined(All((0, 1), within_seconds=9000.0), many, last)
    assert (tight.start_seconds, tight.end_seconds) == (9998.0, 9999.5)
    everywhere = [Interval(0.0, 10_000.0, 0.9, is_everywhere=True)]
    assert combined(All((0, 1)), many, everywhere) == combined(All((0, 1)), everywhere, many)
    assert len(combined(All((0, 1)), many, everywhere)) == 5000
    (excluded,) = [found for found in combined(All((0,), (1,)), last, many) if found.score < 0.1]
    assert excluded.end_seconds == 9999.5
    chain = combined(InOrder((0, 1, 2), within_seconds=5000.0), many, many, last)
    assert [(found.start_seconds, found.end_seconds) for found in chain] == [(9994.0, 9999.5)]


@given(PLANS, TERMS)
def test_sorting_finds_the_pairs_of_a_comparison_of_all(plan: PlanNode, terms: list[list[Interval]]) -> None:
    found = combine(plan, terms.__getitem__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interval_pairs, "MAX_ALL_PAIRS", 0)
        patch.setattr(interval_joins, "MIN_SELECTED_PAIRS", 0)
        assert combine(plan, terms.__getitem__) == found


@given(MANY, MANY, st.sampled_from([0.0, 5.0, 30.0]))
def test_each_interval_with_another_in_reach_keeps_one(
    one: list[Interval], other: list[Interval], seconds: float
) -> None:
    columns = _columns(one, other)
    rows, numbers = interval_pairs.pairs_in_reach(*columns, seconds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interval_pairs, "MAX_ALL_PAIRS", 0)
        patch.setattr(interval_pairs, "MAX_PARTNERS", 1)
        some_rows, some_numbers = interval_pairs.pairs_in_reach(*columns, seconds)
    assert set(zip(some_rows.tolist(), some_numbers.tolist(), strict=True)) <= set(
        zip(rows.tolist(), numbers.tolist(), strict=True)
    )
    assert set(some_rows.tolist()) == set(rows.tolist())
    assert set(some_numbers.tolist()) == set(numbers.tolist())


@given(MANY, MANY)
def test_overlapping_pairs_are_those_without_a_gap(one: list[Interval], other: list[Interval]) -> None:
    a, b, *_ = _columns(one, other)
    pairs = list(zip(*(numbers.tolist() for numbers in interval_pairs.overlapping_pairs(a, b)), strict=True))
    expected = [(row, column) for row, x in enumerate(one) for column, y in enumerate(other) if x.gap(y) <= 0]
    assert sorted(pairs) == expected
