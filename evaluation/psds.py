"""The Polyphonic Sound Detection Score (Bilen et al. 2020, arXiv 1910.08440), equal to that of the package psds_eval.

score = PsdsCounts(labels, points=50, scenario=SCENARIO_1)
score.add(clip_seconds, truths, found_at_each_point)
score.score()

psds_eval itself needs Matplotlib and pandas < 3; `benchmarks/metric_libraries.py` compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.evaluation.detection import Spans
from pesearch.evaluation.metrics import Span

HOUR_SECONDS = 3600.0

OPERATING_POINTS = tuple((2 * number + 1) / 100 for number in range(50))
"""The 50 thresholds of the DCASE challenges' task 4 baseline."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Parameters of the score.

    A detection is correct if true events of its label cover `detection_share` of it (DTC); a true event is found if
    correct detections cover `truth_share` of it (GTC). A wrong detection is a cross-trigger if true events of another
    label cover `cross_share` of it (CTTC), weighted by `cross_weight`. `spread_weight` times the standard deviation
    over the labels is subtracted. The area ends at `max_errors_per_hour`.
    """

    detection_share: float
    truth_share: float
    cross_share: float
    cross_weight: float
    spread_weight: float
    max_errors_per_hour: float = 100.0


SCENARIO_1 = Scenario(0.7, 0.7, 0.0, 0.0, 1.0)
"""DCASE task 4, scenario 1: fast reaction, where times have to be accurate."""

SCENARIO_2 = Scenario(0.1, 0.1, 0.3, 0.5, 1.0)
"""DCASE task 4, scenario 2: no confusion between labels, where times matter less."""


class PsdsCounts:
    """Counts of correct, wrong and cross-triggered detections at each operating point, over any number of clips."""

    def __init__(self, labels: Sequence[str], points: int, scenario: Scenario) -> None:
        count = len(labels)
        self._labels = tuple(labels)
        self._scenario = scenario
        self._seconds = 0.0
        self._true_seconds = np.zeros(count)
        self._truths = np.zeros(count)
        self._correct = np.zeros((points, count))
        self._wrong = np.zeros((points, count))
        self._crossed = np.zeros((points, count, count))

    def add(self, clip_seconds: float, truths: Spans, found: Sequence[Spans]) -> None:
        """Add a clip: true events, and detections at each operating point. Spans of a label must not overlap."""
        true, true_labels = self._events(truths)
        self._seconds += clip_seconds
        np.add.at(self._truths, true_labels, 1)
        np.add.at(self._true_seconds, true_labels, true[:, 1] - true[:, 0])
        for point, spans in enumerate(found):
            events, labels = self._events(spans)
            if len(events):
                self._count(point, clip_seconds, true, true_labels, events, labels)

    def score(self) -> float:
        """The score, 0..1; NaN without true events."""
        present = self._truths > 0
        if not present.any():
            return float("nan")
        rates = self._correct[:, present] / self._truths[present]
        errors = self._error_rates()[:, present]
        rates, errors = np.pad(rates, ((1, 0), (0, 0))), np.pad(errors, ((1, 0), (0, 0)))
        limits = np.unique(errors)
        curves = np.stack([_steps(limits, errors[:, label], rates[:, label]) for label in range(rates.shape[1])])
        effective = np.maximum(curves.mean(axis=0) - self._scenario.spread_weight * curves.std(axis=0), 0.0)
        max_errors = self._scenario.max_errors_per_hour
        inside = limits < max_errors
        widths = np.diff(np.append(limits[inside], max_errors))
        return float((effective[inside] * widths).sum() / max_errors)

    def _events(self, spans: Spans) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
        """Spans that are not empty, [n, 2] in seconds, and the indexes of their labels."""
        entries = [
            (span, number)
            for number, label in enumerate(self._labels)
            for span in spans.get(label, ())
            if span[1] > span[0]
        ]
        return np.array([span for span, _ in entries]).reshape(-1, 2), np.array([n for _, n in entries], dtype=np.intp)

    def _count(
        self,
        point: int,
        clip_seconds: float,
        true: npt.NDArray[np.float64],
        true_labels: npt.NDArray[np.intp],
        events: npt.NDArray[np.float64],
        labels: npt.NDArray[np.intp],
    ) -> None:
        starts, ends = np.maximum(events[:, :1], true[:, 0]), np.minimum(events[:, 1:], true[:, 1])
        shared = np.maximum(ends - starts, 0.0)
        lengths = events[:, 1] - events[:, 0]
        is_label = true_labels[:, None] == np.arange(len(self._labels))
        covered = (shared / lengths[:, None]) @ is_label
        correct = covered[np.arange(len(events)), labels] >= self._scenario.detection_share
        same = (labels[:, None] == true_labels) & correct[:, None]
        found = (np.where(same, shared, 0.0).sum(axis=0) / (true[:, 1] - true[:, 0])) >= self._scenario.truth_share
        np.add.at(self._correct[point], true_labels[found], 1)
        in_clip = (events[:, 0] < clip_seconds) & (events[:, 1] > 0)
        np.add.at(self._wrong[point], labels[~correct & in_clip], 1)
        crossing = (covered >= self._scenario.cross_share) & (covered > 0) & ~correct[:, None]
        np.add.at(self._crossed[point], labels[crossing.any(axis=1)], crossing[crossing.any(axis=1)])

    def _error_rates(self) -> npt.NDArray[np.float64]:
        """Wrong detections per hour, including weighted cross-triggers, [points, labels]."""
        rates: npt.NDArray[np.float64] = self._wrong * HOUR_SECONDS / self._seconds
        others = int((self._truths > 0).sum()) - 1
        if others < 1:
            return rates
        crossed = self._crossed * HOUR_SECONDS / np.where(self._truths > 0, self._true_seconds, np.inf)
        crossed[:, range(len(self._labels)), range(len(self._labels))] = 0.0  # a label does not cross itself
        rates += self._scenario.cross_weight * crossed.sum(axis=2) / others
        return rates


def merge_overlapping(spans: Sequence[Span]) -> list[Span]:
    """The spans in order of time, overlapping ones merged."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _steps(
    limits: npt.NDArray[np.float64], errors: npt.NDArray[np.float64], rates: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """For each limit, the highest rate with at most that many errors."""
    order = np.argsort(errors, kind="stable")
    best = np.maximum.accumulate(rates[order])
    return best[np.searchsorted(errors[order], limits, side="right") - 1]
