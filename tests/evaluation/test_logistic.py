"""Logistic regression: weights of known log odds, and the gradient at the maximum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.evaluation.logistic import fit_logistic

LABELS = np.arange(50) % 2 == 0


def test_without_a_prior_the_weights_are_the_log_odds() -> None:
    features = np.repeat([0.0, 1.0], [40, 40])
    labels = np.concatenate([np.arange(40) < 10, np.arange(40) < 30])
    design = np.column_stack([np.ones(80), features])
    intercept, slope = fit_logistic(design, labels, np.zeros(2), np.full(2, 1e-9))
    assert (intercept, slope) == pytest.approx((np.log(10 / 30), 2 * np.log(3)), abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0), st.floats(-2.0, 2.0), st.integers(1, 4))
def test_the_gradient_is_zero_at_the_weights(seed: int, precision: float, mean: float, columns: int) -> None:
    features = np.random.default_rng(seed).standard_normal((50, columns)) + LABELS[:, None]
    design = np.column_stack([np.ones(50), features])
    prior, precisions = np.array([0.0, *[mean] * columns]), np.array([1e-9, *[precision] * columns])
    weights = fit_logistic(design, LABELS, prior, precisions)
    missing = LABELS - 1 / (1 + np.exp(-(design @ weights)))
    assert missing.sum() == pytest.approx(0.0, abs=1e-6)
    assert features.T @ missing == pytest.approx(precision * (weights[1:] - mean), abs=1e-6)
