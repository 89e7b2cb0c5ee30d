"""Chance scores of a query in one space, and how far scores stand out from them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.search.score.cohort import COHORT, COHORT_SLICES, THINGS, CohortKind
from pesearch.search.score.match_threshold import Deviations
from pesearch.search.score.normalization import ChanceStats, CohortStats, SpaceNormalizer
from pesearch.search.score.window_pooling import WindowRows
from pesearch.types import FloatArray, SpaceName

RANDOM = np.random.default_rng(4)
DIM = 16


def unit(count: int, dim: int = DIM) -> FloatArray:
    vectors = RANDOM.standard_normal((count, dim)).astype(np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def one_row_each(windows: int) -> WindowRows:
    return WindowRows(np.arange(windows), np.arange(windows) + 1)


def noise(space: SpaceName = SpaceName.AUDIO, windows: int = 1000) -> SpaceNormalizer:
    return SpaceNormalizer(space, unit(windows), one_row_each(windows), unit(len(COHORT)))


def deviations_of(normalizer: SpaceNormalizer, query: FloatArray, vectors: FloatArray) -> Deviations:
    debiased = normalizer.debias(vectors @ query[:, None], vectors)
    return normalizer.chance_stats(query[None], CohortKind.NAMES).deviations(debiased).ravel()


def test_median_and_spread_are_quantiles_of_the_chance_scores() -> None:
    """Of 0 to 100 the median is 50, and a share of 0.16 is below 16."""
    scores = np.stack([np.arange(101), -2.0 * np.arange(101)], axis=1)
    stats = ChanceStats.of(RANDOM.permutation(scores))
    assert stats.median.tolist() == [50.0, -100.0]
    assert stats.spread == pytest.approx([34.0, 68.0])
    assert stats.deviations(np.array([[84.0, -32.0]])) == pytest.approx(np.array([[1.0, 1.0]]))


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(-100, 100)))
def test_the_spread_is_never_negative_and_quantiles_are_those_of_numpy(scores: npt.NDArray[np.float64]) -> None:
    stats = ChanceStats.of(scores)
    assert float(stats.median) == pytest.approx(float(np.median(scores)), abs=1e-9)
    assert float(stats.spread) == pytest.approx(float(np.median(scores) - np.quantile(scores, 0.16)), abs=1e-9)
    assert stats.spread >= 0


def test_equal_scores_have_no_spread() -> None:
    for count in range(1, 30):
        scores = np.broadcast_to(RANDOM.uniform(-100, 100, 50), (count, 50))
        stats = ChanceStats.of(scores)
        assert stats.median.tolist() == scores[0].tolist()
        assert not stats.spread.any()


def test_matches_in_the_sample_do_not_widen_the_spread() -> None:
    chance = RANDOM.standard_normal(1000)
    holding = np.concatenate([chance[:800], np.full(200, 9.0)])
    assert ChanceStats.of(chance).spread == pytest.approx(1.0, abs=0.1)
    assert ChanceStats.of(holding).spread == pytest.approx(1.0, abs=0.2)


def test_of_two_statistics_the_higher_median_and_the_wider_spread_count() -> None:
    one, other = (
        ChanceStats(np.array([1.0, 5.0]), np.array([3.0, 1.0])),
        ChanceStats(np.array(2.0), np.array(2.0)),
    )
    both = one.at_least(other)
    assert (both.median.tolist(), both.spread.tolist()) == ([2.0, 5.0], [3.0, 2.0])


def test_the_statistics_of_a_cohort_are_medians_of_those_of_its_texts() -> None:
    """Three texts that score 0 to 100, and 10 and 20 more; between 60 and 70, 0.84 of all medians are below 66.8."""
    scores = np.arange(101)[:, None] + np.array([0.0, 10.0, 20.0])
    stats = CohortStats.of(scores)
    assert (stats.median, stats.spread, stats.windows) == (60.0, pytest.approx(34.0), 101)
    assert stats.median_spread == pytest.approx(6.8)
    assert stats.pooled_spread == pytest.approx(60.0 - float(np.quantile(scores, 0.16)))


COHORT_STATS = CohortStats(median=1.0, spread=2.0, median_spread=0.5, pooled_spread=4.0, windows=8)
"""Eight windows count as much as the cohort."""

TYPICAL = math.sqrt((2.0**2 + 4.0**2) / 2)


@pytest.mark.parametrize(
    ("median", "expected"),
    [
        (2.0, 1.5),  # half of the text's own, half of the cohort's
        (9.0, 3.0),  # at most four spreads of the cohort's medians above 1
        (-7.0, 1.0),  # a text that scores low on everything is not more likely to match
    ],
)
def test_the_median_of_a_text_is_bounded_by_the_cohort(median: float, expected: float) -> None:
    bounded = COHORT_STATS.bound(ChanceStats(np.array([median]), np.array([2.0])))
    assert bounded.median == pytest.approx([expected])


@pytest.mark.parametrize(
    ("spread", "expected"),
    [
        (0.0, TYPICAL),  # no text has less than the typical spread
        (4.0, math.sqrt((4.0**2 + 4.0**2) / 2)),
        (100.0, 3 * TYPICAL),
    ],
)
def test_the_spread_of_a_text_is_bounded_by_the_cohort(spread: float, expected: float) -> None:
    bounded = COHORT_STATS.bound(ChanceStats(np.array([1.0]), np.array([spread])))
    assert bounded.spread == pytest.approx([expected])


def test_the_prior_fades_with_the_number_of_windows() -> None:
    """792 windows of 800 count: 0.99 of a median of 1.8 and 0.01 of 1."""
    many = CohortStats(1.0, 2.0, 0.5, 4.0, windows=792)
    bounded = many.bound(ChanceStats(np.array([1.8]), np.array([3.0])))
    assert bounded.median == pytest.approx([0.99 * 1.8 + 0.01])
    assert bounded.spread == pytest.approx([math.sqrt(0.99 * 9 + 0.01 * 16)])


@pytest.mark.parametrize("space", [SpaceName.AUDIO, SpaceName.FRAME])
def test_chance_scores_stand_out_by_as_much_as_normal_ones(space: SpaceName) -> None:
    normalizer = noise(space)
    chance = deviations_of(normalizer, unit(1)[0], unit(1000))
    assert chance.max() < 4.5
    assert np.mean(np.abs(chance) < 1.5) > 0.8


@pytest.mark.parametrize("space", [SpaceName.AUDIO, SpaceName.FRAME])
def test_a_batch_of_queries_equals_single_queries(space: SpaceName) -> None:
    normalizer, queries = noise(space), unit(3)
    for kind in (CohortKind.NAMES, CohortKind.SENTENCES, None):
        together = normalizer.chance_stats(queries, kind)
        for number, query in enumerate(queries):
            alone = normalizer.chance_stats(query[None], kind)
            assert together.median[number] == pytest.approx(alone.median[0], abs=1e-5)
            assert together.spread[number] == pytest.approx(alone.spread[0], abs=1e-5)


def test_a_text_that_scores_low_on_everything_does_not_stand_out() -> None:
    normalizer = noise()
    foreign = np.zeros(DIM, dtype=np.float32)
    foreign[0] = 1e-3
    assert deviations_of(normalizer, foreign, unit(1000)).max() < 0.5


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_text_that_most_windows_match_stands_out_there(share: float) -> None:
    """Chance scores of 256 dimensions have a spread of 1/16, and so have the medians of the cohort; matches score 1
    more. At most four spreads of that are chance, and at most three times the spread: (1 - 4 / 16) / (3 / 16) = 4."""
    query, vectors = unit(1, 256)[0], unit(200, 256)
    vectors[: round(200 * share)] += query
    normalizer = SpaceNormalizer(SpaceName.AUDIO, vectors, one_row_each(200), unit(len(COHORT), 256))
    assert np.median(deviations_of(normalizer, query, unit(200, 256) + query)) > 3.5
    assert np.median(deviations_of(normalizer, query, unit(200, 256))) < 0.5


def test_windows_are_compared_by_the_best_quarter_of_their_vectors() -> None:
    """Eight vectors in the first window: the mean of the best two, 7.5, and one in the second."""
    vectors = np.array([[value, 0.0] for value in (1, 2, 3, 4, 5, 6, 7, 8, 20)], dtype=np.float32)
    rows = WindowRows(np.array([0, 8, 8]), np.array([8, 8, 9]))
    cohort = np.ones((len(COHORT), 2), np.float32)
    normalizer = SpaceNormalizer(SpaceName.VIDEO, vectors, rows, cohort)
    assert normalizer.cohort_scores[:, 0].tolist() == [7.5, 20.0]
    stats = normalizer.chance_stats(np.array([[2.0, 0.0]], np.float32), None)
    assert stats.median == pytest.approx([(15 + 40) / 2])
    assert stats.spread == pytest.approx([27.5 - (15 + 0.16 * 25)])


@pytest.mark.parametrize("kind", CohortKind)
def test_the_cohort_is_scored_as_queries_of_its_kind(kind: CohortKind) -> None:
    cohort, vectors = unit(len(COHORT)), unit(40)
    normalizer = SpaceNormalizer(SpaceName.FRAME, vectors, one_row_each(40), cohort)
    texts = cohort[COHORT_SLICES[kind]]
    scores = normalizer.debias(vectors @ texts.T, vectors)
    expected = normalizer.chance_stats(texts, kind).deviations(scores)
    assert normalizer.cohort_deviations(kind) == pytest.approx(expected, abs=1e-4)


def test_frames_are_debiased_by_mean_and_spread_of_everyday_things() -> None:
    """A frame scores n with thing n, 0 to 79: their mean is 39.5, their variance (80^2 - 1) / 12."""
    count = len(THINGS)
    cohort = np.zeros((len(COHORT), 1), np.float32)
    cohort[:count, 0] = np.arange(count)
    frames = np.array([[1.0], [2.0]], np.float32)
    scores = np.array([[50.0], [79.0]], np.float32)
    frame, video = (
        SpaceNormalizer(space, frames, one_row_each(2), cohort) for space in (SpaceName.FRAME, SpaceName.VIDEO)
    )
    spread = math.sqrt((count**2 - 1) / 12)
    assert frame.debias(scores, frames) == pytest.approx(
        np.array([[(50 - 39.5) / spread], [(79 - 79) / (2 * spread)]]), abs=1e-4
    )
    assert video.debias(scores, frames) is scores


def test_the_bias_of_a_frame_for_all_texts_is_removed() -> None:
    cohort, biased = unit(len(COHORT)), np.eye(DIM, dtype=np.float32)[-1]
    cohort[:, -1] = 0.5  # every text scores the same in the last direction
    normalizer = SpaceNormalizer(SpaceName.FRAME, unit(100), one_row_each(100), cohort)
    query, plain = cohort[0] + np.eye(DIM, dtype=np.float32)[0], unit(3)
    scores = [deviations_of(normalizer, query, frames) for frames in (plain, plain + 2 * biased)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
