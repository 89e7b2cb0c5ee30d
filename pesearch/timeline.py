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

STEPS_PER_SECOND = 25
"""Steps of the codec and of PE-A-Frame: 40 ms each."""

STEP_SECONDS = 1 / STEPS_PER_SECOND
STEP_SAMPLES = SAMPLE_RATE // STEPS_PER_SECOND

CHUNK_SECONDS = 20.0
"""So much of a file is decoded and encoded as one piece, whatever its length."""


def step_count(duration_seconds: float) -> int:
    """How many steps the codec makes of a sound: the last one is filled up."""
    return steps_of(round(duration_seconds * SAMPLE_RATE))


def steps_of(samples: int) -> int:
    """How many steps the codec makes of so many samples."""
    return math.ceil(samples / STEP_SAMPLES)


def windows(duration_seconds: float) -> SegmentArray:
    """The windows of a file, float64 [n, 2]: one each hop, the last shifted back to end at the end of the file.

    A file no longer than one window is one window of its own length; nothing at all has none. Windows begin at a step
    of the codec, so that one pass over the sound serves them all: the last one is up to a step shorter.
    """
    if duration_seconds <= 0:
        return np.empty((0, 2))
    if duration_seconds <= WINDOW_SECONDS:
        return np.array([[0.0, duration_seconds]])
    window, hop, steps = WINDOW_SECONDS * STEPS_PER_SECOND, HOP_SECONDS * STEPS_PER_SECOND, step_count(duration_seconds)
    count = 1 + math.ceil((steps - window) / hop)
    starts = np.minimum(np.arange(count) * hop, steps - window) / STEPS_PER_SECOND
    ends = starts + WINDOW_SECONDS
    ends[-1] = duration_seconds
    return np.stack([starts, ends], axis=1)


def chunks(duration_seconds: float) -> SegmentArray:
    """A file in stretches one after the other, float64 [n, 2]: CHUNK_SECONDS each, the last half to one and a half.

    So the last window begins in the last chunk. A file shorter than the last one may be is one chunk.
    """
    if duration_seconds <= 0:
        return np.empty((0, 2))
    longest = 1.5 * CHUNK_SECONDS
    count = 1 if duration_seconds < longest else 1 + math.floor((duration_seconds - longest) / CHUNK_SECONDS + 1)
    starts = np.arange(count) * CHUNK_SECONDS
    return np.stack([starts, np.append(starts[1:], duration_seconds)], axis=1)


def grid(start_seconds: float, end_seconds: float) -> npt.NDArray[np.float64]:
    """The times of the frame grid in [start, end), float64 [n]. The grid starts at 0 for every file."""
    tolerance = 1e-9
    first = math.ceil(start_seconds * FRAMES_PER_SECOND - tolerance)
    stop = math.ceil(end_seconds * FRAMES_PER_SECOND - tolerance)
    return np.arange(max(first, 0), stop) / FRAMES_PER_SECOND
