"""Post-processes the probability of a sound in each 40 ms step to the spans in which it occurs.

PE-A-Frame itself applies a threshold of 0.3 only (`PEAudioFrame.forward` in Meta's perception_models), which splits a
long track into many short pieces. A median filter, two thresholds (hysteresis), a minimum length and closing of gaps
are the usual post-processing of sound event detection; their values are measured (`benchmarks.events`). Where a wider
filter or a longer minimum made no difference on the generated sounds, which last a second, the shorter value was
chosen: the shortest labelled events of DESED, for instance, last 0.25 s.

Steps may be pushed in pieces of any size, with the same result and in constant memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.encoders.model_registry import REFERENCE_THRESHOLD
from pesearch.timeline import STEP_SECONDS
from pesearch.types import FloatArray

THRESHOLD = REFERENCE_THRESHOLD
"""The default probability above which a sound is detected."""

PRESENCE_STEPS = 12
"""`presence` is the mean over this many steps, about half a second."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Parameters of the post-processing, besides the threshold.

    median_steps: Width of the median filter; odd.
    hysteresis_ratio: A span extends both ways while the probability is above this share of the threshold.
    max_gap_steps: Spans at most this many steps apart are merged.
    min_steps: Spans with fewer steps above the threshold are dropped.
    """

    median_steps: int = 7
    hysteresis_ratio: float = 0.9
    max_gap_steps: int = 4
    min_steps: int = 6


RULE = Rule()
"""The measured defaults."""


@dataclass(frozen=True, slots=True)
class Span:
    """Steps [start, stop), and the mean probability in them."""

    start: int
    stop: int
    mean: float


@dataclass(frozen=True, slots=True)
class _Run:
    """Steps [start, stop) above the lower threshold.

    total_before, total_after: The sums of all probabilities before `start` and before `stop`.
    steps_above: The number of steps above the upper threshold.
    """

    start: int
    stop: int
    total_before: float
    total_after: float
    steps_above: int

    def merge(self, later: _Run) -> _Run:
        return _Run(self.start, later.stop, self.total_before, later.total_after, self.steps_above + later.steps_above)


class SpanFinder:
    """Finds the spans of one sound: median filter, two thresholds, merging, then the minimum length."""

    def __init__(self, threshold: float = THRESHOLD, rule: Rule = RULE) -> None:
        self._upper, self._lower = threshold, threshold * rule.hysteresis_ratio
        self._rule = rule
        self._median = RunningMedian(rule.median_steps)
        self._steps, self._total = 0, 0.0  # steps processed so far, and the sum of their probabilities
        self._unfiltered = np.empty(0, dtype=np.float32)  # pushed, but not filtered yet
        self._open: _Run | None = None  # may continue in the next step
        self._pending: _Run | None = None  # ended, but the next run may be merged into it

    def push(self, probabilities: FloatArray) -> list[Span]:
        """Adds steps, float32 [n], and returns the spans that are complete."""
        self._unfiltered = np.concatenate([self._unfiltered, probabilities])
        return self._process(self._median.push(probabilities))

    def finish(self) -> list[Span]:
        """Returns the remaining spans, at the end of the steps."""
        found = self._process(self._median.finish())
        last, self._open = self._open, None
        return found + self._complete(last) + self._take_pending()

    def _process(self, smoothed: FloatArray) -> list[Span]:
        found: list[Span] = []
        for run in self._next_runs(smoothed):
            if run.stop == self._steps:
                self._open = run
            else:
                found += self._complete(run)
        reached = self._open.start if self._open else self._steps
        if self._pending and reached - self._pending.stop > self._rule.max_gap_steps:
            found += self._take_pending()
        return found

    def _next_runs(self, smoothed: FloatArray) -> list[_Run]:
        """The runs of the next filtered steps, including the open run."""
        raw, self._unfiltered = self._unfiltered[: len(smoothed)], self._unfiltered[len(smoothed) :]
        totals = self._total + np.concatenate([[0.0], np.cumsum(raw, dtype=np.float64)])
        at = self._steps
        found = [
            _Run(at + start, at + stop, totals[start], totals[stop], int((smoothed[start:stop] > self._upper).sum()))
            for start, stop in find_runs(smoothed > self._lower)
        ]
        if self._open:
            continues = bool(found) and found[0].start == at
            found[:1] = [self._open.merge(found[0])] if continues else [self._open, *found[:1]]
        self._steps, self._total, self._open = at + len(smoothed), float(totals[-1]), None
        return found

    def _complete(self, run: _Run | None) -> list[Span]:
        """Merges a completed run into the pending one, or makes it the pending one."""
        if run is None or not run.steps_above:
            return []
        if self._pending and run.start - self._pending.stop <= self._rule.max_gap_steps:
            self._pending = self._pending.merge(run)
            return []
        found, self._pending = self._take_pending(), run
        return found

    def _take_pending(self) -> list[Span]:
        run, self._pending = self._pending, None
        if run is None or run.steps_above < self._rule.min_steps:
            return []
        return [Span(run.start, run.stop, float(run.total_after - run.total_before) / (run.stop - run.start))]


class RunningMedian:
    """A centred median filter of odd width, with repeated ends, for steps pushed in pieces."""

    def __init__(self, steps: int) -> None:
        self._steps, self._half = steps, steps // 2
        self._window: FloatArray | None = None

    def push(self, values: FloatArray) -> FloatArray:
        """Adds values [steps] and returns the medians, float32 [n], that they complete: half a filter behind."""
        if not len(values):
            return values
        window = np.repeat(values[:1], self._half) if self._window is None else self._window
        window = np.concatenate([window, values])
        self._window = window[max(len(window) - 2 * self._half, 0) :]
        if len(window) < self._steps:
            return window[:0]
        medians: FloatArray = np.median(np.lib.stride_tricks.sliding_window_view(window, self._steps), axis=-1)
        return medians

    def finish(self) -> FloatArray:
        """Returns the medians of the last steps."""
        if self._window is None:
            return np.empty(0, dtype=np.float32)
        return self.push(np.repeat(self._window[-1:], self._half))


def find_runs(active: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The runs [start, stop) of true values in a 1-d array."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False])).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def find_spans(probabilities: FloatArray, threshold: float = THRESHOLD, rule: Rule = RULE) -> list[tuple[int, int]]:
    """The spans [start, stop), in steps, of one sound, from its probabilities float32 [steps]."""
    finder = SpanFinder(threshold, rule)
    return [(span.start, span.stop) for span in [*finder.push(probabilities), *finder.finish()]]


def presence(probabilities: FloatArray) -> npt.NDArray[np.float64]:
    """The probability that a sound occurs anywhere: the mean of the PRESENCE_STEPS highest steps, on the last axis."""
    count = min(PRESENCE_STEPS, probabilities.shape[-1])
    if not count:
        return np.zeros(probabilities.shape[:-1])
    mean: npt.NDArray[np.float64] = np.sort(probabilities, axis=-1)[..., -count:].mean(axis=-1, dtype=np.float64)
    return mean


def steps_to_seconds(steps: int) -> float:
    """The start of a step in seconds."""
    return steps * STEP_SECONDS
