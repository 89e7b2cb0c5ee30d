"""How a file is divided in time: windows for PE-AV, chunks for decoding, one fixed grid for frames."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from pesearch.types import SegmentArray

WINDOW_SECONDS = 10.0
"""Length of a window, the unit that PE-AV embeds (its benchmarks use 10 s clips)."""

HOP_SECONDS = 5.0
"""Windows start this far apart and overlap by half, so that every moment is well inside one of them."""

FRAMES_PER_SECOND = 1.6
"""Rate of the frame grid: 16 frames a window, as the 16-frame checkpoints of PE-AV were trained."""

SAMPLE_RATE = 48_000
"""Sample rate in Hz of the mono audio that every encoder takes."""

STEPS_PER_SECOND = 25
"""Steps per second of the audio codec and of PE-A-Frame (40 ms each)."""

STEP_SECONDS = 1 / STEPS_PER_SECOND
"""Length of a step: 0.04 s."""

STEP_SAMPLES = SAMPLE_RATE // STEPS_PER_SECOND
"""Samples in a step: 1920."""

CHUNK_SECONDS = 20.0
"""A file is decoded and encoded in pieces of about this length, so memory does not grow with the file."""


def step_count(duration_seconds: float) -> int:
    """Codec steps in a sound of this duration; the last step is padded."""
    return steps_of(round(duration_seconds * SAMPLE_RATE))


def steps_of(samples: int) -> int:
    """Codec steps in a number of samples; the last step is padded."""
    return math.ceil(samples / STEP_SAMPLES)


def windows(duration_seconds: float) -> SegmentArray:
    """The windows of a file, float64 [n, 2] in seconds: one each hop, the last shifted back to end with the file.

    A file shorter than a window is one window of its own length; a duration of 0 has none. Windows start on a codec
    step, so that one codec pass serves them all; the last one is up to a step shorter.
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
    """Consecutive chunks of a file, float64 [n, 2] in seconds: CHUNK_SECONDS each, the last 0.5 to 1.5 times that.

    The last window therefore starts in the last chunk. A file shorter than 1.5 chunks is one chunk.
    """
    if duration_seconds <= 0:
        return np.empty((0, 2))
    max_last = 1.5 * CHUNK_SECONDS
    count = 1 if duration_seconds < max_last else 1 + math.floor((duration_seconds - max_last) / CHUNK_SECONDS + 1)
    starts = np.arange(count) * CHUNK_SECONDS
    return np.stack([starts, np.append(starts[1:], duration_seconds)], axis=1)


def grid(start_seconds: float, end_seconds: float) -> npt.NDArray[np.float64]:
    """Times of the frame grid in [start, end), float64 [n] in seconds. The grid of every file starts at 0."""
    tolerance = 1e-9
    first = math.ceil(start_seconds * FRAMES_PER_SECOND - tolerance)
    stop = math.ceil(end_seconds * FRAMES_PER_SECOND - tolerance)
    return np.arange(max(first, 0), stop) / FRAMES_PER_SECOND
