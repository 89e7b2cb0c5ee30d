"""Sound event detection metrics: event-based and segment-based F-score, and frame AUROC in constant memory.

The events of a clip are given as spans by label. `psds.py` has the Polyphonic Sound Detection Score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pesearch.evaluation.metrics import ONSET_COLLAR_SECONDS, Flags, Span, f1, mean
from pesearch.types import FloatArray

Spans = Mapping[str, Sequence[Span]]
"""The spans of each sound in one clip, by label."""

OFFSET_SHARE = 0.2
"""Tolerance of offsets, as a fraction of the true duration, but at least the collar of onsets: DCASE challenges, task 4
(Mesaros et al. 2016, `sed_eval`)."""

SEGMENT_SECONDS = 1.0
"""Segment length in the segment-based F-score of the DCASE challenges."""


class DetectionCounts:
    """Counts of matched, true and found events (or segments) of each label, over any number of clips."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._counts = {label: np.zeros(3, dtype=np.int64) for label in labels}

    def add_events(self, truths: Spans, found: Spans) -> None:
        """Add a clip; events are matched one to one by onset and offset."""
        for label, counts in self._counts.items():
            true, located = truths.get(label, ()), found.get(label, ())
            counts += matched_events(true, located), len(true), len(located)

    def add_segments(self, truths: Spans, found: Spans) -> None:
        """Add a clip, divided into segments in which a sound is present or absent."""
        for label, counts in self._counts.items():
            true, located = _segments(truths.get(label, ())), _segments(found.get(label, ()))
            counts += len(true & located), len(true), len(located)

    def micro_f1(self) -> float:
        """F-score over the events of all labels; NaN without true and without found events."""
        return f1(*(int(count) for count in sum(self._counts.values(), np.zeros(3, dtype=np.int64))))

    def macro_f1(self) -> float:
        """Mean F-score of the labels. Labels that are never found count 0, whereas sed_eval leaves them out."""
        return mean(f1(*(int(count) for count in counts)) for counts in self._counts.values())


def matched_events(truths: Sequence[Span], found: Sequence[Span]) -> int:
    """Size of the maximum one-to-one matching of events whose onsets and offsets are within tolerance.

    By augmenting paths (Kuhn 1955); the same number as `sed_eval` counts.
    """
    candidates = [[number for number, span in enumerate(found) if _is_match(truth, span)] for truth in truths]
    matched_truth: dict[int, int] = {}

    def augment(truth: int, visited: set[int]) -> bool:
        for number in candidates[truth]:
            if number not in visited:
                visited.add(number)
                if number not in matched_truth or augment(matched_truth[number], visited):
                    matched_truth[number] = truth
                    return True
        return False

    return sum(augment(truth, set()) for truth in range(len(truths)))


def _is_match(truth: Span, found: Span) -> bool:
    offset_collar = max(ONSET_COLLAR_SECONDS, OFFSET_SHARE * (truth[1] - truth[0]))
    return abs(truth[0] - found[0]) <= ONSET_COLLAR_SECONDS and abs(truth[1] - found[1]) <= offset_collar


def _segments(spans: Sequence[Span]) -> set[int]:
    return {
        segment
        for start, end in spans
        for segment in range(math.floor(start / SEGMENT_SECONDS), math.ceil(end / SEGMENT_SECONDS))
    }


_FLOAT16_COUNT = int(np.float16(1.0).view(np.uint16)) + 1
"""Number of float16 values in 0..1. Their bit patterns as integers have the same order as the values."""


class FrameScores:
    """A histogram of the probabilities of all steps, one bin per float16 value: memory does not grow with the clips.

    float16 has three significant digits, so the AUROC differs from the exact one only by pairs that become ties.
    """

    def __init__(self, labels: int) -> None:
        self._positives = np.zeros((labels, _FLOAT16_COUNT), dtype=np.int64)
        self._negatives = np.zeros((labels, _FLOAT16_COUNT), dtype=np.int64)

    def add(self, probabilities: FloatArray, active: Flags) -> None:
        """Add a clip: probabilities in 0..1 and the true activity of each sound, both [labels, steps]."""
        bins = probabilities.astype(np.float16).view(np.uint16)
        rows = np.broadcast_to(np.arange(len(bins))[:, None], bins.shape)
        np.add.at(self._positives, (rows[active], bins[active]), 1)
        np.add.at(self._negatives, (rows[~active], bins[~active]), 1)

    def aurocs(self) -> npt.NDArray[np.float64]:
        """AUROC of each label, float64 [labels], ties count half; NaN for labels that are always or never active."""
        below = np.cumsum(self._negatives, axis=1) - self._negatives
        wins = (self._positives * (below + self._negatives / 2)).sum(axis=1)
        pairs = self._positives.sum(axis=1, dtype=np.float64) * self._negatives.sum(axis=1)
        aurocs = np.full(len(pairs), np.nan)
        np.divide(wins, pairs, out=aurocs, where=pairs > 0)
        return aurocs
