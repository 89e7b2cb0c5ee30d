"""Metrics against values computed by hand and by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.evaluation.metrics import (
    auroc,
    best_iou,
    f1,
    first_relevant_ranks,
    iou,
    matched_onsets,
    mean,
    recall_at,
)

ONSETS = st.lists(st.integers(0, 60).map(lambda tenth: tenth / 10 + 0.001), max_size=5)
SPANS = st.tuples(st.floats(0, 50), st.floats(0, 50)).map(lambda ends: (min(ends), max(ends)))


def test_rank_of_the_first_relevant_item() -> None:
    scores = np.array([[0.9, 0.5, 0.7], [0.1, 0.2, 0.3]])
    relevant = np.array([[False, True, True], [True, False, False]])
    assert first_relevant_ranks(scores, relevant).tolist() == [2, 3]


def test_a_constant_score_gains_nothing() -> None:
    assert first_relevant_ranks(np.zeros((1, 4)), np.array([[False, True, False, False]])).tolist() == [4]


def test_a_query_without_relevant_items_is_an_error() -> None:
    with pytest.raises(ValueError, match="no relevant"):
        first_relevant_ranks(np.zeros((1, 2)), np.zeros((1, 2), dtype=bool))


def test_recall_at_k() -> None:
    ranks = np.array([1, 2, 5, 11])
    assert [recall_at(ranks, k) for k in (1, 5, 10)] == [0.25, 0.75, 0.75]
    assert math.isnan(recall_at(np.array([], dtype=np.int64), 1))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_auroc_is_the_probability_that_a_positive_scores_higher(items: list[tuple[int, bool]]) -> None:
    scores = np.array([score / 5 for score, _ in items])
    positive = np.array([flag for _, flag in items])
    pairs = [(p, n) for p in scores[positive] for n in scores[~positive]]
    if not pairs:
        assert math.isnan(auroc(scores, positive))
        return
    assert auroc(scores, positive) == pytest.approx(np.mean([(p > n) + (p == n) / 2 for p, n in pairs]))


def test_auroc_of_a_perfect_a_reversed_and_a_constant_score() -> None:
    positive = np.array([False, False, True])
    assert auroc(np.array([0.1, 0.2, 0.3]), positive) == 1.0
    assert auroc(np.array([0.3, 0.2, 0.1]), positive) == 0.0
    assert auroc(np.full(3, 0.5), positive) == 0.5


def test_intersection_over_union() -> None:
    assert iou((0, 4), (2, 6)) == pytest.approx(2 / 6)
    assert iou((0, 1), (2, 3)) == 0.0
    assert iou((1, 1), (1, 1)) == 0.0
    assert best_iou((0, 4), [(10, 11), (0, 3)]) == pytest.approx(3 / 4)
    assert best_iou((0, 4), []) == 0.0


@given(SPANS, SPANS)
def test_iou_is_symmetric_and_at_most_one(a: tuple[float, float], b: tuple[float, float]) -> None:
    assert iou(a, b) == pytest.approx(iou(b, a))
    assert 0 <= iou(a, b) <= 1 + 1e-9
    assert a[0] == a[1] or iou(a, a) == pytest.approx(1)


def maximum_matching(truths: list[float], found: list[float]) -> int:
    """Size of the largest one-to-one matching, by brute force."""
    if not truths:
        return 0
    first, rest = truths[0], truths[1:]
    tries = [
        1 + maximum_matching(rest, found[:at] + found[at + 1 :])
        for at, onset in enumerate(found)
        if abs(onset - first) <= 0.2
    ]
    return max([maximum_matching(rest, found), *tries])


@given(ONSETS, ONSETS)
def test_matched_onsets_is_the_maximum_matching(truths: list[float], found: list[float]) -> None:
    shifted = [onset + 0.05 for onset in found]  # keeps differences off the edge of the collar
    assert matched_onsets(truths, shifted) == maximum_matching(truths, shifted)


def test_onsets_match_one_to_one_within_the_collar() -> None:
    assert matched_onsets([1.0, 1.1], [1.05]) == 1
    assert matched_onsets([1.0], [1.3]) == 0
    assert matched_onsets([1.0], [0.75, 1.15]) == 1


def test_f1_from_counts() -> None:
    assert f1(2, 4, 3) == pytest.approx(2 * (2 / 3) * (2 / 4) / (2 / 3 + 2 / 4))
    assert f1(0, 3, 0) == 0.0
    assert math.isnan(f1(0, 0, 0))


def test_mean_ignores_nan() -> None:
    assert mean([1.0, math.nan, 3.0]) == 2.0
    assert math.isnan(mean([math.nan]))
