"""Post-processes the probability of a sound in each 40 ms step to the spans in which it occurs.

PE-A-Frame itself applies a threshold of 0.3 only (`PEAudioFrame.forward` in Meta's perception_models), which splits a
long track into many short pieces. Here each step is evidence for or against the sound, its logit above or below the
threshold, and `change_detector` finds the spans. How much evidence an onset or offset needs follows from the noise of
the logits (`noise`): clean tracks are segmented at the threshold, noisy ones where noise alone would hardly ever lead.
So the same values serve strong and weak models; `python -m benchmarks.events --only noise` compares them.

Noise is estimated in blocks of about a minute, so steps may be pushed in pieces of any size, with the same result and
in constant memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.encoders.model_registry import REFERENCE_THRESHOLD
from pesearch.search.events.change_detector import ChangeDetector, Point
from pesearch.search.events.noise import Noise, estimate_noise, logit, to_logits
from pesearch.timeline import STEP_SECONDS
from pesearch.types import FloatArray

THRESHOLD = REFERENCE_THRESHOLD
"""The default probability above which a sound is detected."""

BLOCK_STEPS = 1500
"""Steps that share an estimate of the noise: a minute, the longest interval that `sound_rescorer` analyses."""

ROUNDING_LOGITS = 1e-9
"""Errors of the sums of evidence: a mean this far above the threshold is not above it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Parameters of the post-processing, besides the threshold, measured by `benchmarks.events`.

    max_logits: Evidence of a step without noise is at most this far above or below the threshold; with noise,
        its `step_sd` farther.
    min_steps: A span, and a pause between two, needs more than the evidence of this many steps at the maximum.
    hysteresis_logits: Evidence counts from this far below the threshold, so that a span extends to where a sound begins
        and ends; the mean over a span must be above the threshold.
    """

    max_logits: float = 1.0
    min_steps: int = 5
    hysteresis_logits: float = 0.4


RULE = Rule()
"""The measured defaults."""


@dataclass(frozen=True, slots=True)
class Span:
    """Steps [start, stop), and the mean probability in them."""

    start: int
    stop: int
    mean: float


class SpanFinder:
    """Finds the spans of one sound."""

    def __init__(self, threshold: float = THRESHOLD, rule: Rule = RULE) -> None:
        self._lower = logit(float(np.float32(threshold))) - rule.hysteresis_logits  # as exact as the probabilities
        self._rule = rule
        self._changes = ChangeDetector()
        self._waiting = np.empty(0, dtype=np.float32)  # at most one and a half blocks

    def push(self, probabilities: FloatArray) -> list[Span]:
        """Adds steps, float32 [n], and returns the spans that are complete."""
        self._waiting = np.concatenate([self._waiting, probabilities])
        found: list[Span] = []
        while len(self._waiting) > BLOCK_STEPS * 1.5:
            found += self._process(self._waiting[:BLOCK_STEPS])
            self._waiting = self._waiting[BLOCK_STEPS:]
        return found

    def finish(self) -> list[Span]:
        """Returns the remaining spans, at the end of the steps."""
        found = self._process(self._waiting) if len(self._waiting) else []
        return found + self._to_spans(self._changes.finish())

    def _process(self, block: FloatArray) -> list[Span]:
        logits = to_logits(block)
        noise = estimate_noise(logits)
        max_evidence = self._rule.max_logits + noise.step_sd
        evidence = np.clip(logits - self._lower, -max_evidence, max_evidence)
        min_change = self._rule.min_steps * max_evidence + false_alarm_evidence(noise, self._lower, len(block))
        return self._to_spans(self._changes.push(evidence, block.astype(np.float64), min_change))

    def _to_spans(self, found: Iterable[tuple[Point, Point]]) -> list[Span]:
        min_mean = self._rule.hysteresis_logits + ROUNDING_LOGITS
        return [
            Span(onset.step, offset.step, (offset.total - onset.total) / (offset.step - onset.step))
            for onset, offset in found
            if offset.evidence - onset.evidence > min_mean * (offset.step - onset.step)
        ]


def false_alarm_evidence(noise: Noise, threshold_logit: float, steps: int) -> float:
    """The evidence that noise alone accumulates about once in so many steps, in logits.

    Sums of steps that drift by d against the sound, with a variance of s^2 a step, exceed h with a probability of
    exp(-2 d h / s^2) (Siegmund 1985, Sequential Analysis, for Brownian motion): once in n starts for ln(n) s^2 / 2d.
    """
    if not noise.long_run_sd:
        return 0.0
    return math.log(steps) * noise.long_run_sd**2 / (2 * noise.distance(threshold_logit))


def find_runs(active: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The runs [start, stop) of true values in a 1-d array."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False])).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def find_spans(probabilities: FloatArray, threshold: float = THRESHOLD, rule: Rule = RULE) -> list[tuple[int, int]]:
    """The spans [start, stop), in steps, of one sound, from its probabilities float32 [steps]."""
    finder = SpanFinder(threshold, rule)
    return [(span.start, span.stop) for span in [*finder.push(probabilities), *finder.finish()]]


def steps_to_seconds(steps: int) -> float:
    """The start of a step in seconds."""
    return steps * STEP_SECONDS
