"""Figures of located sounds: event-based and segment-based F-score, and the frame AUROC of many clips in flat memory.

Events of a clip are given as spans by label. See `psds.py` for the Polyphonic Sound Detection Score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pesearch.evaluation.metrics import ONSET_COLLAR_SECONDS, Flags, Span, f1, mean
from pesearch.types import FloatArray

Spans = Mapping[str, Sequence[Span]]
"""The spans of a clip in which each sound is heard, by label."""

OFFSET_SHARE = 0.2
"""An offset may be off by the onset's collar or by this share of the true length, whichever is more: the DCASE
challenges' task 4 (Mesaros et al. 2016, `sed_eval`)."""

SEGMENT_SECONDS = 1.0
"""The length of a segment in the segment-based F-score of the DCASE challenges."""


class DetectionCounts:
    """How many events, or segments, of each label are true, found, and both, over any number of clips."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._counts = {label: np.zeros(3, dtype=np.int64) for label in labels}

    def add_events(self, truths: Spans, found: Spans) -> None:
        """One clip, its events paired one to one by their onsets and offsets."""
        for label, counts in self._counts.items():
            true, located = truths.get(label, ()), found.get(label, ())
            counts += matched_events(true, located), len(true), len(located)

    def add_segments(self, truths: Spans, found: Spans) -> None:
        """One clip, cut into segments that each hold a sound or not."""
        for label, counts in self._counts.items():
            true, located = _segments(truths.get(label, ())), _segments(found.get(label, ()))
            counts += len(true & located), len(true), len(located)

    def micro_f1(self) -> float:
        """The F-score of all labels together; NaN where nothing is true and nothing was found."""
        return f1(*(int(count) for count in sum(self._counts.values(), np.zeros(3, dtype=np.int64))))

    def macro_f1(self) -> float:
        """The mean F-score over the labels. A label that is true and never found counts 0; sed_eval leaves it out."""
        return mean(f1(*(int(count) for count in counts)) for counts in self._counts.values())


def matched_events(truths: Sequence[Span], found: Sequence[Span]) -> int:
    """The most events of one label that can be paired one to one, onsets and offsets within their collars.

    A largest matching, by augmenting paths (Kuhn 1955), as `sed_eval` counts.
    """
    fitting = [[number for number, span in enumerate(found) if _fits(truth, span)] for truth in truths]
    taken: dict[int, int] = {}

    def place(truth: int, tried: set[int]) -> bool:
        for number in fitting[truth]:
            if number not in tried:
                tried.add(number)
                if number not in taken or place(taken[number], tried):
                    taken[number] = truth
                    return True
        return False

    return sum(place(truth, set()) for truth in range(len(truths)))


def _fits(truth: Span, found: Span) -> bool:
    collar = max(ONSET_COLLAR_SECONDS, OFFSET_SHARE * (truth[1] - truth[0]))
    return abs(truth[0] - found[0]) <= ONSET_COLLAR_SECONDS and abs(truth[1] - found[1]) <= collar


def _segments(spans: Sequence[Span]) -> set[int]:
    return {
        segment
        for start, end in spans
        for segment in range(math.floor(start / SEGMENT_SECONDS), math.ceil(end / SEGMENT_SECONDS))
    }


_HALVES = int(np.float16(1.0).view(np.uint16)) + 1
"""So many half-precision numbers lie in 0..1, and their bits count in their order."""


class FrameScores:
    """The probabilities of all steps of any number of clips, counted in half precision: the memory does not grow.

    Half precision keeps three digits of any probability, so that an AUROC differs from the exact one by the few pairs
    that become equal.
    """

    def __init__(self, labels: int) -> None:
        self._positives = np.zeros((labels, _HALVES), dtype=np.int64)
        self._negatives = np.zeros((labels, _HALVES), dtype=np.int64)

    def add(self, probabilities: FloatArray, active: Flags) -> None:
        """One clip: probabilities in 0..1 and whether each sound is truly there, both [labels, steps]."""
        bins = probabilities.astype(np.float16).view(np.uint16)
        rows = np.broadcast_to(np.arange(len(bins))[:, None], bins.shape)
        np.add.at(self._positives, (rows[active], bins[active]), 1)
        np.add.at(self._negatives, (rows[~active], bins[~active]), 1)

    def aurocs(self) -> npt.NDArray[np.float64]:
        """The AUROC of each label, ties being half, float64 [labels]; NaN where a label is always or never there."""
        below = np.cumsum(self._negatives, axis=1) - self._negatives
        won = (self._positives * (below + self._negatives / 2)).sum(axis=1)
        pairs = self._positives.sum(axis=1, dtype=np.float64) * self._negatives.sum(axis=1)
        aurocs = np.full(len(pairs), np.nan)
        np.divide(won, pairs, out=aurocs, where=pairs > 0)
        return aurocs
