"""Fits the log odds of a library's scores to judged ones (Platt 1999), separately for things and for what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.evaluation.judged_scores import JudgedScore
from pesearch.evaluation.logistic import fit_logistic, logistic
from pesearch.evaluation.metrics import calibration_error
from pesearch.matching import LogOdds, Recalibration
from pesearch.store.recalibration import MIN_SLOPE

MIN_SCORES = 15
"""Fewer judged scores are not fitted to."""

MIN_OF_EACH = 3
"""At least this many of them must be answers, and as many must be none."""

MAX_LOG_ODDS = 8.0
"""Log odds beyond this count as this: one sure mistake must not decide the slope."""

PRIOR_WEIGHTS = (10.0, 1.0)
"""Weights of the prior, a slope of 1 and an offset of 0: inverse variances. Fitted to halves of the annotations of 150
clips, about 45 scores each, calibration errors of the other halves fall from 0.117 to 0.109 on average; the worst rises
by 0.02 (`benchmarks.calibration`, seeds 41, 43 and 47)."""

FOLDS = 5

Scores = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fit:
    """What the judged scores of one kind give.

    error_before, error_after: The calibration error of the scores as they are, and corrected by a fit to the other
        queries (cross-validation); NaN if there are too few.
    correction: Fitted to all of them; None if there are too few, or if the other queries would not be more likely.
    """

    scores: int
    answers: int
    error_before: float
    error_after: float
    correction: LogOdds | None


@dataclass(frozen=True, slots=True)
class Fits:
    """The fits for things and sounds, and for what is said."""

    names: Fit
    sentences: Fit

    def recalibration(self, measured_on: str) -> Recalibration | None:
        """Both corrections; None if there is neither."""
        names, sentences = self.names.correction, self.sentences.correction
        if names is None and sentences is None:
            return None
        return Recalibration(measured_on, names or LogOdds(), sentences or LogOdds())


@dataclass(frozen=True, slots=True)
class CalibrationErrors:
    """Calibration errors of judged scores: as measured for the models, and as calibrated for the library."""

    scores: int
    models: float
    library: float


def calibration_errors(as_measured: Sequence[JudgedScore], as_calibrated: Sequence[JudgedScore]) -> CalibrationErrors:
    """The errors of the same judged queries before and after the calibration of a library."""
    errors = []
    for judged in (as_measured, as_calibrated):
        answers = np.array([each.is_answer for each in judged], dtype=bool)
        errors.append(calibration_error(np.array([each.score for each in judged]), answers))
    return CalibrationErrors(len(as_measured), *errors)


def fit_scores(judged: Sequence[JudgedScore]) -> Fits:
    """The fits to judged scores."""
    return Fits(*(_fit_kind([each for each in judged if each.is_sentence is kind]) for kind in (False, True)))


def corrected(scores: Scores, log_odds: LogOdds) -> Scores:
    """Scores in 0..1 with corrected log odds."""
    return logistic(log_odds.slope * _log_odds(scores) + log_odds.offset)


def fit_log_odds(scores: Scores, answers: Flags) -> LogOdds:
    """The correction with the highest likelihood, given the prior."""
    design = np.stack([_log_odds(scores), np.ones(len(scores))], axis=1)
    return LogOdds(*fit_logistic(design, answers, np.array([1.0, 0.0]), np.array(PRIOR_WEIGHTS)).tolist())


def _fit_kind(judged: Sequence[JudgedScore]) -> Fit:
    scores = np.array([each.score for each in judged])
    answers = np.array([each.is_answer for each in judged], dtype=bool)
    before, count = calibration_error(scores, answers), int(answers.sum())
    if len(judged) < MIN_SCORES or min(count, len(judged) - count) < MIN_OF_EACH:
        return Fit(len(judged), count, before, float("nan"), None)
    predicted, correction = _cross_validated(judged, scores, answers), fit_log_odds(scores, answers)
    is_better = _loss(predicted, answers) < _loss(scores, answers) and correction.slope >= MIN_SLOPE
    return Fit(len(judged), count, before, calibration_error(predicted, answers), correction if is_better else None)


def _loss(scores: Scores, answers: Flags) -> float:
    """The negative log likelihood of the answers."""
    log_odds = _log_odds(scores)
    return float(np.logaddexp(0.0, np.where(answers, -log_odds, log_odds)).sum())


def _cross_validated(judged: Sequence[JudgedScore], scores: Scores, answers: Flags) -> Scores:
    """Each score, corrected by a fit to the queries of the other folds."""
    folds = np.unique([each.query for each in judged], return_inverse=True)[1] % FOLDS
    predicted = np.empty(len(scores))
    for fold in np.unique(folds):
        held = folds == fold
        predicted[held] = corrected(scores[held], fit_log_odds(scores[~held], answers[~held]))
    return predicted


def _log_odds(scores: Scores) -> Scores:
    odds = np.clip(scores, 1e-12, 1 - 1e-12)
    values: Scores = np.clip(np.log(odds / (1 - odds)), -MAX_LOG_ODDS, MAX_LOG_ODDS)
    return values
