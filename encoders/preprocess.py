"""Preprocessing of audio and frames, and batches of equal lengths."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from pesearch.timeline import SAMPLE_RATE, STEP_SAMPLES
from pesearch.types import FloatArray

Frame = TypeVar("Frame")

MAX_STEPS = 9999
"""Steps (399.96 s) that PE-AV and PE-A-Frame have position embeddings for; they were not trained beyond."""

MAX_TEXT_TOKENS = 512
"""The reference implementation truncates texts to this length."""


def pad_to_whole_steps(audio: FloatArray) -> FloatArray:
    """Mono audio padded at its end by reflection to a whole number of steps, as the models' feature extractor does.

    Zeros would make a difference: the codec reacts to the discontinuity. Raises ValueError for anything but mono float
    audio of 1 sample to 399.96 s.
    """
    if audio.ndim != 1 or not audio.size:
        raise ValueError(f"mono audio must be float32 [samples], not {audio.dtype} {audio.shape}")
    if audio.size > MAX_STEPS * STEP_SAMPLES:
        raise ValueError(f"{audio.size / SAMPLE_RATE:.0f} s of audio at once: the models take at most 399.96 s")
    audio = audio.astype(np.float32, copy=False)
    missing = -audio.size % STEP_SAMPLES
    return np.pad(audio, (0, missing), "reflect") if missing else audio


def sample_frames(frames: Sequence[Frame], count: int | None) -> list[Frame]:
    """`count` frames spread evenly from the first to the last (repeated if there are fewer); None: all of them.

    The indices are those of transformers' PeVideoVideoProcessor, so that a 16-frame checkpoint gets the frames it was
    trained on.
    """
    if count is None:
        return list(frames)
    if count == 1:
        return [frames[0]]
    return [frames[int(i * (len(frames) - 1) / (count - 1))] for i in range(count)]


def batches_by_key(keys: Sequence[Hashable], size: int) -> Iterator[list[int]]:
    """Positions in `keys`, grouped into batches of equal keys of at most `size`.

    Items of equal length need no padding, which is not harmless here: the codec's convolutions see the zeros.
    """
    groups: dict[Hashable, list[int]] = {}
    for position, key in enumerate(keys):
        groups.setdefault(key, []).append(position)
    for positions in groups.values():
        for start in range(0, len(positions), size):
            yield positions[start : start + size]
