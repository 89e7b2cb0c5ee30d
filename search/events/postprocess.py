"""From the probability of a sound in each 40 ms step to the spans in which it is heard.

PE-A-Frame's own rule is a threshold of 0.3 and nothing more (`PEAudioFrame.forward` in Meta's perception_models);
a long track then falls into many short pieces. A median filter, two thresholds (hysteresis), a least length and the
closing of gaps are the usual steps behind a detector of sound events; their values are measured (`benchmarks.events`).
Where a wider filter or a longer least length did no harm to the generated sounds, which last a second, the shorter is
taken: no event of DESED, say, is labelled that is under 0.25 s.

The steps may come piece by piece: what is found is the same, and memory does not grow with their number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.encoders.model_registry import REFERENCE_THRESHOLD
from pesearch.timeline import STEP_SECONDS
from pesearch.types import FloatArray

THRESHOLD = REFERENCE_THRESHOLD
"""A sound is there where its probability rises above it, if nobody says otherwise."""

STRONGEST_STEPS = 12
"""How many steps (about half a second) must hold a sound before it is taken to be there."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done to probabilities, besides the threshold.

    median_steps: The running median that smooths them; odd.
    carried_share: A span goes on, both ways, while the probability is above this share of the threshold.
    gap_steps: Spans so few steps apart are one.
    least_steps: A span in which fewer steps are above the threshold is dropped.
    """

    median_steps: int = 7
    carried_share: float = 0.9
    gap_steps: int = 4
    least_steps: int = 6


RULE = Rule()


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of steps [start, stop), and the mean probability inside."""

    start: int
    stop: int
    mean: float


@dataclass(frozen=True, slots=True)
class _Run:
    """Steps above the lower threshold; `before` and `after` are what all probabilities up to its ends add up to.
    `sure_steps` are above the threshold itself."""

    start: int
    stop: int
    before: float
    after: float
    sure_steps: int

    def joined(self, later: _Run) -> _Run:
        return _Run(self.start, later.stop, self.before, later.after, self.sure_steps + later.sure_steps)


class SpanFinder:
    """The spans of one sound: smoothed, cut at two thresholds, gaps closed, then too short ones dropped."""

    def __init__(self, threshold: float = THRESHOLD, rule: Rule = RULE) -> None:
        self._upper, self._lower = threshold, threshold * rule.carried_share
        self._rule = rule
        self._median = RunningMedian(rule.median_steps)
        self._steps, self._total = 0, 0.0  # what is decided, and what its probabilities add up to
        self._ahead = np.empty(0, dtype=np.float32)  # came, but is not smoothed yet
        self._open: _Run | None = None  # may go on with the next step
        self._waiting: _Run | None = None  # has ended, but a near one may be joined to it

    def push(self, probabilities: FloatArray) -> list[Span]:
        """The spans that are now known to have ended; `probabilities` is float32 [steps], as many as come."""
        self._ahead = np.concatenate([self._ahead, probabilities])
        return self._decide(self._median.push(probabilities))

    def finish(self) -> list[Span]:
        """The spans that last until the end."""
        found = self._decide(self._median.finish())
        last, self._open = self._open, None
        return found + self._close(last) + self._give_out()

    def _decide(self, smoothed: FloatArray) -> list[Span]:
        found: list[Span] = []
        for run in self._runs(smoothed):
            if run.stop == self._steps:
                self._open = run
            else:
                found += self._close(run)
        reached = self._open.start if self._open else self._steps
        if self._waiting and reached - self._waiting.stop > self._rule.gap_steps:
            found += self._give_out()
        return found

    def _runs(self, smoothed: FloatArray) -> list[_Run]:
        """The runs of the next steps, the open one among them."""
        raw, self._ahead = self._ahead[: len(smoothed)], self._ahead[len(smoothed) :]
        totals = self._total + np.concatenate([[0.0], np.cumsum(raw, dtype=np.float64)])
        at = self._steps
        found = [
            _Run(at + start, at + stop, totals[start], totals[stop], int((smoothed[start:stop] > self._upper).sum()))
            for start, stop in runs(smoothed > self._lower)
        ]
        if self._open:
            goes_on = bool(found) and found[0].start == at
            found[:1] = [self._open.joined(found[0])] if goes_on else [self._open, *found[:1]]
        self._steps, self._total, self._open = at + len(smoothed), float(totals[-1]), None
        return found

    def _close(self, run: _Run | None) -> list[Span]:
        """A run has ended: it is joined to the one that waits, or waits in its place."""
        if run is None or not run.sure_steps:
            return []
        if self._waiting and run.start - self._waiting.stop <= self._rule.gap_steps:
            self._waiting = self._waiting.joined(run)
            return []
        found, self._waiting = self._give_out(), run
        return found

    def _give_out(self) -> list[Span]:
        run, self._waiting = self._waiting, None
        if run is None or run.sure_steps < self._rule.least_steps:
            return []
        return [Span(run.start, run.stop, float(run.after - run.before) / (run.stop - run.start))]


class RunningMedian:
    """The median of an odd number of steps around each, the ends repeated, for steps that come piece by piece."""

    def __init__(self, steps: int) -> None:
        self._steps, self._half = steps, steps // 2
        self._held: FloatArray | None = None

    def push(self, values: FloatArray) -> FloatArray:
        """The medians that are now known, float32 [n]: half a filter behind the values [steps]."""
        if not len(values):
            return values
        held = np.repeat(values[:1], self._half) if self._held is None else self._held
        held = np.concatenate([held, values])
        self._held = held[max(len(held) - 2 * self._half, 0) :]
        if len(held) < self._steps:
            return held[:0]
        medians: FloatArray = np.median(np.lib.stride_tricks.sliding_window_view(held, self._steps), axis=-1)
        return medians

    def finish(self) -> FloatArray:
        """The medians of the last steps."""
        if self._held is None:
            return np.empty(0, dtype=np.float32)
        return self.push(np.repeat(self._held[-1:], self._half))


def runs(active: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The stretches [start, stop) in which a 1-d array is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False])).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def spans(probabilities: FloatArray, threshold: float = THRESHOLD, rule: Rule = RULE) -> list[tuple[int, int]]:
    """The spans [start, stop), in steps, in which one sound is heard; `probabilities` is float32 [steps]."""
    finder = SpanFinder(threshold, rule)
    return [(span.start, span.stop) for span in [*finder.push(probabilities), *finder.finish()]]


def presence(probabilities: FloatArray) -> npt.NDArray[np.float64]:
    """How surely a sound is heard anywhere: the mean of its strongest steps, along the last axis."""
    count = min(STRONGEST_STEPS, probabilities.shape[-1])
    if not count:
        return np.zeros(probabilities.shape[:-1])
    mean: npt.NDArray[np.float64] = np.sort(probabilities, axis=-1)[..., -count:].mean(axis=-1, dtype=np.float64)
    return mean


def seconds(steps: int) -> float:
    """Where a step begins, in seconds."""
    return steps * STEP_SECONDS
