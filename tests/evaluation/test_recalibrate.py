"""Corrections of log odds: recovered from scores whose correction is known, and left out where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.evaluation.judged_scores import JudgedScore
from pesearch.evaluation.recalibrate import MIN_SCORES, calibration_errors, corrected, fit_log_odds, fit_scores
from pesearch.matching import LogOdds, Recalibration
from pesearch.search.score.match_threshold import MatchThreshold

COUNT = 20_000

SLOPES = st.floats(0.1, 5.0)
OFFSETS = st.floats(-4.0, 4.0)


def drawn(log_odds: LogOdds, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and answers drawn with the corrected probability of each."""
    rng = np.random.default_rng(3)
    scores = 1 / (1 + np.exp(-rng.uniform(-4, 4, count)))
    return scores, rng.uniform(size=count) < corrected(scores, log_odds)


def judged(scores: np.ndarray, answers: np.ndarray, is_sentence: bool = False) -> list[JudgedScore]:
    return [
        JudgedScore(n, is_sentence, float(s), bool(a)) for n, (s, a) in enumerate(zip(scores, answers, strict=True))
    ]


@pytest.mark.parametrize("truth", [LogOdds(), LogOdds(0.4, -1.0), LogOdds(2.5, 1.5)])
def test_a_known_correction_is_recovered(truth: LogOdds) -> None:
    found = fit_log_odds(*drawn(truth, COUNT))
    assert (found.slope, found.offset) == pytest.approx((truth.slope, truth.offset), abs=0.12)


def test_wrong_scores_are_corrected_and_right_ones_are_left() -> None:
    wrong, right = judged(*drawn(LogOdds(0.5, -2.0), 400)), judged(*drawn(LogOdds(), 400), is_sentence=True)
    fits = fit_scores([*wrong, *right])
    assert fits.names.correction is not None
    assert fits.names.error_after < 0.5 * fits.names.error_before
    assert fits.sentences.error_before < 0.1
    assert (fits.names.scores, fits.sentences.scores) == (400, 400)
    assert fits.sentences.correction is None
    assert fits.recalibration("400 scores") == Recalibration("400 scores", fits.names.correction, LogOdds())


def test_few_sure_scores_change_little() -> None:
    """Without a prior the likelihood of separated scores has no maximum."""
    found = fit_log_odds(np.repeat([0.8, 0.2], 10), np.arange(20) < 10)
    assert 1.0 < found.slope < 1.5
    assert abs(found.offset) < 1e-6


@pytest.mark.parametrize(("count", "answers"), [(MIN_SCORES - 1, 7), (40, 2), (40, 38), (0, 0)])
def test_too_few_scores_or_of_one_kind_are_not_fitted(count: int, answers: int) -> None:
    fits = fit_scores(judged(np.full(count, 0.9), np.arange(count) < answers))
    assert fits.names.correction is None
    assert np.isnan(fits.names.error_after)
    assert fits.recalibration("none") is None


def test_scores_that_say_nothing_are_not_turned_round() -> None:
    scores, answers = drawn(LogOdds(), 400)
    assert fit_scores(judged(scores, ~answers)).names.correction is None


def test_errors_are_compared_score_by_score() -> None:
    sure, unsure = judged(np.full(4, 1.0), np.arange(4) < 2), judged(np.full(4, 0.5), np.arange(4) < 2)
    errors = calibration_errors(sure, unsure)
    assert (errors.scores, errors.models, errors.library) == (4, pytest.approx(0.5), pytest.approx(0.0))


@given(slope=SLOPES, offset=OFFSETS, centre=st.floats(0, 10), width=st.floats(0.2, 2.0))
def test_a_corrected_threshold_has_the_corrected_log_odds(
    slope: float, offset: float, centre: float, width: float
) -> None:
    threshold, log_odds = MatchThreshold(centre, width), LogOdds(slope, offset)
    deviations = centre + width * np.linspace(-6, 6, 25)
    expected = corrected(threshold.probability(deviations), log_odds)
    np.testing.assert_allclose(threshold.corrected(log_odds).probability(deviations), expected, atol=1e-9)
