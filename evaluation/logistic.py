"""Logistic regression with a normal prior on the weights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MAX_STEPS = 100
"""Steps of Newton's method. Ten are enough with a prior."""


def fit_logistic(design: Floats, labels: npt.NDArray[np.bool_], prior: Floats, precisions: Floats) -> Floats:
    """The weights [columns] with the highest posterior probability: iteratively reweighted least squares (Hastie et al.
    2009, section 4.4.1), in steps of at most 1.

    design: float64 [n, columns], with a column of ones for an intercept.
    prior, precisions: Mean and inverse variance of each weight [columns].
    """
    weights: Floats = prior.astype(np.float64)
    for _ in range(MAX_STEPS):
        predicted = logistic(design @ weights)
        gradient = design.T @ (labels - predicted) - precisions * (weights - prior)
        curvature = design.T @ (design * (predicted * (1 - predicted))[:, None]) + np.diag(precisions)
        step = np.linalg.solve(curvature, gradient)
        weights += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    return weights


def logistic(log_odds: Floats) -> Floats:
    """The probability of log odds, of the same shape."""
    probability: Floats = 1 / (1 + np.exp(-np.clip(log_odds, -80.0, 80.0)))
    return probability
