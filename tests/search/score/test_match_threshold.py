"""The threshold between chance and match."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.matching import Matching
from pesearch.search.score.match_threshold import Deviations, MatchThreshold, expected_maximum

FIT = Matching(width_share=0.06, min_width=0.15, min_separation=2.0, min_threshold=2.6)

CHANCE = np.array([6.0, 2.0, 5.0, 3.0, 4.0])
"""The quantile of 0.25 is the second of five values: 3."""

MATCH = np.arange(26.0)
"""The quantile of 0.92 is the 24th of 26 values: 23."""


def between(
    chance: Deviations = CHANCE, match: Deviations = MATCH, windows: int = 512, share: float = 0.25
) -> MatchThreshold:
    return MatchThreshold.between(chance, match, windows, min(windows, 512), share, FIT)


def test_the_expected_maximum_is_that_of_normal_scores() -> None:
    """sqrt(2 ln n): 3.716922 of 1000 scores; of one score that of two."""
    assert expected_maximum(1000) == pytest.approx(3.716922, abs=1e-6)
    assert expected_maximum(0) == expected_maximum(1) == expected_maximum(2) == pytest.approx(1.177410, abs=1e-6)


def test_cues_match_three_spreads_above_the_expected_maximum_of_chance() -> None:
    threshold = MatchThreshold.of_rows(1000)
    assert threshold.centre == pytest.approx(6.716922, abs=1e-6)
    one_below_at_and_above = np.array([5.716922, 6.716922, 7.716922])
    assert threshold.probability(one_below_at_and_above) == pytest.approx([0.231475, 0.5, 0.768525], abs=1e-6)


def test_the_threshold_is_at_a_share_of_the_way_from_chance_to_match() -> None:
    threshold = between(share=0.25)
    assert threshold.centre == pytest.approx(3 + 0.25 * (23 - 3))
    assert threshold.width == pytest.approx(math.sqrt((0.06 * 20) ** 2 + 0.15**2))
    assert between(share=0.1).centre == pytest.approx(5.0)


def test_a_larger_library_needs_a_higher_score() -> None:
    """The expected maximum of a million normal scores is 5.256522, that of the 512 sampled ones 3.532230."""
    assert between(windows=1_000_000).centre == pytest.approx(8 + 5.256522 - 3.532230, abs=1e-6)
    assert between(windows=1_000_000).width == between().width


def test_chance_is_limited_where_the_whole_cohort_matches() -> None:
    """At most 1.5 times the expected maximum of normal scores and a half: 1.5 * 3.532230 + 0.5 = 5.798345."""
    assert between(np.full(5, 30.0), np.full(26, 45.798345)).centre == pytest.approx(15.798345, abs=1e-6)


def test_matches_score_at_least_the_least_separation_more_than_chance() -> None:
    threshold = between(CHANCE, np.full(26, 4.0))
    assert threshold.centre == pytest.approx(3 + 0.25 * 2)
    assert threshold.width == pytest.approx(math.sqrt(0.12**2 + 0.15**2))


def test_the_threshold_has_a_lower_bound() -> None:
    assert between(np.zeros(5), np.zeros(26)).centre == pytest.approx(2.6)


MAXIMA = arrays(np.float64, 20, elements=st.floats(-5, 60))


@given(MAXIMA, MAXIMA, st.integers(1, 10**7), st.integers(1, 10**7), st.floats(0, 1))
def test_the_threshold_grows_with_the_library(
    chance: Deviations, match: Deviations, one: int, other: int, share: float
) -> None:
    smaller, larger = (
        MatchThreshold.between(chance, match, 512 + windows, 512, share, FIT) for windows in sorted((one, other))
    )
    assert smaller.centre <= larger.centre
    assert FIT.min_threshold <= smaller.centre
    assert FIT.min_width <= smaller.width == larger.width


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20),
    st.floats(-10, 100),
    st.floats(0.01, 10),
)
def test_a_probability_is_in_0_to_1_and_monotonic_in_the_deviation(
    deviations: list[float], centre: float, width: float
) -> None:
    probability = MatchThreshold(centre, width).probability(np.sort(deviations))
    assert ((probability >= 0) & (probability <= 1)).all()
    assert (np.diff(probability) >= 0).all()


def test_a_missing_vector_stays_missing() -> None:
    probability = MatchThreshold(3.0, 1.0).probability(np.array([[np.nan, 3.0], [-1e300, 1e300]]))
    assert probability == pytest.approx(np.array([[np.nan, 0.5], [0.0, 1.0]]), nan_ok=True)
