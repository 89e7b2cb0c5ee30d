"""Long sound in windows that overlap, and what a model hears in them put together again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from pesearch.types import FloatArray

WINDOW_STEPS = 250
"""10 s: as long as the clips of the benchmarks that PE-A-Frame is judged on (it was trained on no more than 30 s)."""

HOP_STEPS = 125
"""5 s: every step lies in two windows, and well inside one of them."""

Bounds = tuple[int, int]
"""[first, stop), in steps of 40 ms."""


def overlapping_windows(steps: int, hop_steps: int = HOP_STEPS) -> list[Bounds]:
    """The windows that together cover so many steps: the last is shifted back to end where the sound ends."""
    if steps <= WINDOW_STEPS:
        return [(0, steps)] if steps else []
    starts = [*range(0, steps - WINDOW_STEPS, hop_steps), steps - WINDOW_STEPS]
    return [(start, start + WINDOW_STEPS) for start in starts]


def triangle(steps: int) -> FloatArray:
    """The weight of each step of a window, float32 [steps]: the farther from its edges, the more it is believed."""
    rising = np.arange(1, steps + 1, dtype=np.float32)
    return np.minimum(rising, rising[::-1])


def overlap_add(bounds: Sequence[Bounds], logits: Iterable[FloatArray]) -> Iterator[FloatArray]:
    """The mean of the logits [phrases, steps] of windows where they overlap, weighted by `triangle`.

    Given out piece by piece, float32 [phrases, n], as soon as no later window reaches a step; together the pieces cover
    all steps once. Where one window alone hears, its logits are kept, to float32 rounding.
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
