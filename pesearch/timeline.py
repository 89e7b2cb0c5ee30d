"""How a file is cut in time: windows for PE-AV, one fixed grid for frames."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from pesearch.types import SegmentArray

WINDOW_SECONDS = 10.0
"""Length of a window: what PE-AV embeds as one (its benchmarks use 10 s clips)."""

HOP_SECONDS = 5.0
"""A new window starts each hop, so that every moment lies well inside one."""

FRAMES_PER_SECOND = 1.6
"""The frame grid: a window holds 16 frames, as the 16-frame checkpoints of PE-AV were trained."""

SAMPLE_RATE = 48_000
"""Samples a second of the audio that every encoder hears (mono)."""

EVENT_STEP_SECONDS = 0.04
"""One step of PE-A-Frame: 1920 samples at 48 kHz."""


def windows(duration_seconds: float) -> SegmentArray:
    """The windows of a file, float64 [n, 2]: one each hop, the last shifted back to end at the end of the file.

    A file no longer than one window is one window of its own length; nothing at all has none.
    """
    if duration_seconds <= 0:
        return np.empty((0, 2))
    if duration_seconds <= WINDOW_SECONDS:
        return np.array([[0.0, duration_seconds]])
    count = 1 + math.ceil((duration_seconds - WINDOW_SECONDS) / HOP_SECONDS)
    starts = np.minimum(np.arange(count) * HOP_SECONDS, duration_seconds - WINDOW_SECONDS)
    return np.stack([starts, starts + WINDOW_SECONDS], axis=1)


def grid(start_seconds: float, end_seconds: float) -> npt.NDArray[np.float64]:
    """The times of the frame grid in [start, end), float64 [n]. The grid starts at 0 for every file."""
    tolerance = 1e-9
    first = math.ceil(start_seconds * FRAMES_PER_SECOND - tolerance)
    stop = math.ceil(end_seconds * FRAMES_PER_SECOND - tolerance)
    return np.arange(max(first, 0), stop) / FRAMES_PER_SECOND
