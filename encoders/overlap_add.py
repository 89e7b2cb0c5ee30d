"""Overlapping windows over long audio, and their logits merged by a weighted overlap-add."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from pesearch.types import FloatArray

WINDOW_STEPS = 250
"""10 s, the length of the clips in PE-A-Frame's benchmarks (it was trained on at most 30 s)."""

HOP_STEPS = 125
"""5 s: every step is in two windows, and at least 2.5 s from the edges of one of them."""

Bounds = tuple[int, int]
"""[first, stop), in steps of 40 ms."""


def overlapping_windows(steps: int, hop_steps: int = HOP_STEPS) -> list[Bounds]:
    """Windows that cover `steps`; the last one is shifted back to end with the audio."""
    if steps <= WINDOW_STEPS:
        return [(0, steps)] if steps else []
    starts = [*range(0, steps - WINDOW_STEPS, hop_steps), steps - WINDOW_STEPS]
    return [(start, start + WINDOW_STEPS) for start in starts]


def triangle(steps: int) -> FloatArray:
    """Weights of the steps of a window, float32 [steps]: they grow with the distance from its edges."""
    rising = np.arange(1, steps + 1, dtype=np.float32)
    return np.minimum(rising, rising[::-1])


def overlap_add(bounds: Sequence[Bounds], logits: Iterable[FloatArray]) -> Iterator[FloatArray]:
    """The mean of overlapping windows' logits [phrases, steps], weighted by `triangle`.

    Yields pieces float32 [phrases, n] as soon as no later window reaches a step; together they cover all steps once.
    Steps in a single window keep its logits, up to float32 rounding.
    """
    following = [after[0] for _, after in pairwise(bounds)] + [bounds[-1][1]] if bounds else []
    first = 0
    sums, weights = np.empty((0, 0), dtype=np.float32), np.empty(0, dtype=np.float32)
    for (start, stop), settled, window in zip(bounds, following, logits, strict=True):
        new = stop - first - len(weights)
        sums = np.pad(sums, ((0, len(window) - len(sums)), (0, new)))
        weights = np.pad(weights, (0, new))
        own = triangle(stop - start)
        sums[:, start - first :] += own * window
        weights[start - first :] += own
        yield sums[:, : settled - first] / weights[: settled - first]
        sums, weights, first = sums[:, settled - first :], weights[settled - first :], settled
