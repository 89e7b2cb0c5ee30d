"""The threshold between chance and match."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.matching import Matching, Placement
from pesearch.search.score.match_threshold import Deviations, Draws, MatchThreshold, expected_maximum

FIT = Matching(width_share=0.06, min_width=0.15, min_threshold=2.6)

CHANCE = np.array([8.0, 4.0, 7.0, 5.0, 6.0])
"""The quantile of 0.25 is the second of five values: 5."""

MATCH = np.arange(26.0)
"""The quantile of 0.92 is the 24th of 26 values: 23."""

NORMAL_512, NORMAL_MILLION = 3.078224, 4.875815
"""Expected maxima of 512 and of a million normal scores."""


def between(
    chance: Deviations = CHANCE,
    match: Deviations = MATCH,
    windows: int = 512,
    placement: Placement = Placement(share=0.25),  # noqa: B008  it is frozen
) -> MatchThreshold:
    return MatchThreshold.between(chance, match, Draws(min(windows, 512), windows), FIT, placement)


def test_the_expected_maximum_is_that_of_normal_scores() -> None:
    """Against the mean of 400 maxima; of two scores it is 1 / sqrt(pi), which the limit overestimates."""
    rng = np.random.default_rng(3)
    for count in (30, 512, 5000):
        drawn = rng.standard_normal((400, count)).max(axis=1).mean()
        assert expected_maximum(count) == pytest.approx(drawn, abs=0.1)
    assert expected_maximum(512) == pytest.approx(NORMAL_512, abs=1e-6)
    assert expected_maximum(1_000_000) == pytest.approx(NORMAL_MILLION, abs=1e-6)
    assert expected_maximum(0) == expected_maximum(1) == 0.0
    assert 0.0 < expected_maximum(2) < 1.0


def test_cues_match_three_spreads_above_the_maximum_of_chance() -> None:
    """sqrt(2 ln 1000) = 3.716922."""
    threshold = MatchThreshold.of_rows(1000)
    assert threshold.centre == pytest.approx(6.716922, abs=1e-6)
    one_below_at_and_above = np.array([5.716922, 6.716922, 7.716922])
    assert threshold.probability(one_below_at_and_above) == pytest.approx([0.231475, 0.5, 0.768525], abs=1e-6)


def test_the_threshold_is_at_a_share_of_the_way_from_chance_to_match() -> None:
    threshold = between()
    assert threshold.centre == pytest.approx(5 + 0.25 * (23 - 5))
    assert threshold.width == pytest.approx(math.sqrt((0.06 * 18) ** 2 + 0.15**2))
    assert between(placement=Placement(share=0.1)).centre == pytest.approx(6.8)


def test_a_margin_is_no_part_of_the_way() -> None:
    threshold = between(placement=Placement(share=0.25, margin=2.0))
    assert threshold.centre == pytest.approx(5 + 0.25 * 16)
    assert threshold.width == pytest.approx(math.sqrt((0.06 * 16) ** 2 + 0.15**2))
    assert between(match=np.full(26, 6.0), placement=Placement(share=0.25, margin=2.0)).centre == pytest.approx(5.0)


@pytest.mark.parametrize(("distance", "share"), [(4, 0.2), (10, 0.2), (15, 0.25), (20, 0.3), (30, 0.4), (60, 0.4)])
def test_the_share_grows_with_the_distance(distance: float, share: float) -> None:
    threshold = between(match=np.full(26, 5.0 + distance), placement=Placement(share=0.2, far_share=0.4))
    assert threshold.centre == pytest.approx(5 + share * distance)


def test_the_threshold_grows_by_six_tenths_of_the_growth_of_normal_scores() -> None:
    larger = between(windows=1_000_000)
    assert larger.centre == pytest.approx(9.5 + 0.6 * (NORMAL_MILLION - NORMAL_512), abs=1e-6)
    assert larger.width == between().width


def test_chance_is_limited_where_the_whole_cohort_matches() -> None:
    """At most 1.5 times the expected maximum of normal scores and a half: 5.117336."""
    assert between(np.full(5, 30.0), np.full(26, 45.117336)).centre == pytest.approx(15.117336, abs=1e-6)


def test_chance_is_no_less_than_that_of_normal_scores() -> None:
    """The cohort may be few draws: a model takes texts that it does not know for one another."""
    assert between(np.zeros(5), np.full(26, 13.078224)).centre == pytest.approx(NORMAL_512 + 2.5, abs=1e-6)


def test_without_a_separation_the_threshold_is_at_chance() -> None:
    threshold = between(CHANCE, np.full(26, 4.0))
    assert threshold.centre == pytest.approx(5.0)
    assert threshold.width == pytest.approx(0.15)


def test_the_threshold_has_a_lower_bound() -> None:
    assert between(np.zeros(5), np.zeros(26), windows=1).centre == pytest.approx(2.6)


MAXIMA = arrays(np.float64, 20, elements=st.floats(-5, 60))


@given(MAXIMA, MAXIMA, st.integers(1, 10**7), st.integers(1, 10**7), st.floats(0, 1))
def test_the_threshold_grows_with_the_library(
    chance: Deviations, match: Deviations, one: int, other: int, share: float
) -> None:
    smaller, larger = (
        MatchThreshold.between(chance, match, Draws(512, 512 + windows), FIT, Placement(share))
        for windows in sorted((one, other))
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
