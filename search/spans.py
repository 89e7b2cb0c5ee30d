"""From the probability of a sound in each 40 ms step to the spans in which it is heard.

PE-A-Frame's own rule is a threshold of 0.3 and nothing more (`PEAudioFrame.forward` in Meta's perception_models);
a long track then falls into many short pieces. The median filter, the least length and the closing of gaps are
ours: the usual steps behind a detector of sound events, with the figures that suited PE-A-Frame's 25 Hz.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pesearch.timeline import STEP_SECONDS
from pesearch.types import FloatArray

THRESHOLD = 0.3
"""PE-A-Frame's own: a step above it belongs to the sound."""

MEDIAN_STEPS = 7
"""0.28 s: the filter that raised the IoU of the starter's spans the most."""

LEAST_STEPS = 3
"""A span under 0.12 s is dropped."""

CLOSED_GAP_STEPS = 4
"""Two spans under 0.2 s apart are one."""

STRONGEST_STEPS = 12
"""How many steps (about half a second) must hold a sound before it is taken to be there."""


def smooth(probabilities: FloatArray) -> FloatArray:
    """Running median along the last axis, the ends repeated; same shape."""
    half = MEDIAN_STEPS // 2
    padded = np.pad(probabilities, [(0, 0)] * (probabilities.ndim - 1) + [(half, half)], mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, MEDIAN_STEPS, axis=-1), axis=-1)


def runs(active: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The stretches [start, stop) in which a 1-d array is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False])).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def spans(probabilities: FloatArray, threshold: float = THRESHOLD) -> list[tuple[int, int]]:
    """The spans [start, stop), in steps, in which one sound is heard; `probabilities` is float32 [steps].

    Smoothed, cut at the threshold, gaps closed, then too short ones dropped.
    """
    if not len(probabilities):
        return []
    closed: list[tuple[int, int]] = []
    for start, stop in runs(smooth(probabilities) > threshold):
        if closed and start - closed[-1][1] <= CLOSED_GAP_STEPS:
            closed[-1] = (closed[-1][0], stop)
        else:
            closed.append((start, stop))
    return [(start, stop) for start, stop in closed if stop - start >= LEAST_STEPS]


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
