"""The noise of PE-A-Frame's logits, estimated from the logits of one sound themselves.

A strong model's logits are smooth: apart from the sounds, neighbouring steps hardly differ. A weak model's logits
fluctuate, from step to step and over tenths of a second. Both are measured by differences, which the level of the track
and slow changes of it do not affect, and by a low quantile of them, which sounds in up to half of the track hardly
affect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from pesearch.types import FloatArray

MIN_LOGIT, MAX_LOGIT = -80.0, 16.0
"""Range of the logits recovered from probabilities: float32 ends just below 1 at a logit of 16.6."""

CORRELATION_STEPS = 10
"""Steps, 0.4 s, of the means whose differences give `Noise.long_run_sd`. On tracks with noise correlated over 0.2 s
(frame AUROC 0.90), 5 steps found twice as many spans, with an event-F1 of 0.22 instead of 0.28; 20 found fewer, with
0.29."""

MAX_CORRELATION = 5.0
"""`long_run_sd` is at most this many times `step_sd`; what changes more slowly is no noise. Without this limit,
sounds in clips of 4 s were taken for noise, and the span IoU of the starter set fell from 0.927 to 0.914."""

QUANTILE = 0.25
"""Quantile of the absolute differences that is compared with the normal distribution's. It is low, so that sounds in up
to half of a short clip do not affect it. On the generated sounds, the median did as well."""

_NORMAL_QUANTILE = NormalDist().inv_cdf(0.5 + QUANTILE / 2)

Logits = npt.NDArray[np.float64]
"""Log-odds of the probabilities, float64 [steps]."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Level and noise of the logits of one sound.

    level: The median.
    step_sd: Standard deviation of what differs from one step to the next.
    long_run_sd: The square root of n times the variance of a mean over n steps: equal to `step_sd` if the steps are
        independent, above it if neighbouring steps err alike.
    """

    level: float
    step_sd: float
    long_run_sd: float

    def distance(self, threshold_logit: float) -> float:
        """Distance of the level from the threshold, at least `long_run_sd`: the drift per step of evidence."""
        return max(abs(self.level - threshold_logit), self.long_run_sd)


def to_logits(probabilities: FloatArray) -> Logits:
    """The logits of probabilities float32 [steps], in MIN_LOGIT..MAX_LOGIT."""
    p = probabilities.astype(np.float64)
    with np.errstate(divide="ignore"):
        logits: Logits = np.clip(np.log(p) - np.log1p(-p), MIN_LOGIT, MAX_LOGIT)
    return logits


def logit(probability: float) -> float:
    """The log-odds of a probability above 0 and below 1."""
    return math.log(probability) - math.log1p(-probability)


def estimate_noise(logits: Logits) -> Noise:
    """The noise of at least one step."""
    step_sd = _allan_sd(logits, 1)
    long_run_sd = _allan_sd(logits, max(min(CORRELATION_STEPS, len(logits) // 3), 1))
    return Noise(float(np.median(logits)), step_sd, min(long_run_sd, MAX_CORRELATION * step_sd))


def _allan_sd(logits: Logits, steps: int) -> float:
    """The robust Allan deviation of means over `steps`, times the square root of `steps`; 0 if there are too few.

    The Allan deviation is the standard deviation of differences between adjacent means, divided by the square root of
    two (Allan 1966). Here it is a quantile of the absolute differences over that of the normal distribution.
    """
    totals = np.concatenate([[0.0], np.cumsum(logits)])
    sums = totals[steps:] - totals[:-steps]
    differences = np.abs(sums[steps:] - sums[:-steps])
    if not len(differences):
        return 0.0
    return float(np.quantile(differences, QUANTILE)) / _NORMAL_QUANTILE / math.sqrt(2 * steps)
