"""Several decoded channels as one, without losing what only some of them hold."""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from pesearch.timeline import SAMPLE_RATE
from pesearch.types import FloatArray

BLOCK_SAMPLES = SAMPLE_RATE // 2
"""The mix is decided for each half second of the file, so that a range sounds the same wherever reading began."""

MAX_SAMPLE = 64.0
"""Float samples beyond this are damage: +36 dB over full scale. The loudest of mixers' overs are at +24 dB (16)."""

_MIN_POWER = 1e-7
"""Channels below it (-70 dBFS) are unused: inputs without a microphone, and silence that AC-3 stores as noise (-91)."""

_MAX_UNUSED = 0.01
"""Where all are so quiet, those at this part of the loudest one's power (-20 dB)."""

_MAX_CANCELLATION = 0.1
"""The mean of two channels below this part of their own level (-20 dB) is cancellation: they are out of phase. Stereo
music is at 0.5 to 1; a channel delayed against the other cancels single frequencies only."""


class Mixer:
    """Mixes decoded samples to one channel, block by block. Samples come in order of time, with gaps.

    Those that are not finite or beyond MAX_SAMPLE become 0; `damaged_samples` counts them, over all channels.
    """

    def __init__(self, is_discrete: bool) -> None:
        self.damaged_samples = 0
        self._is_discrete = is_discrete
        self._held: list[tuple[int, FloatArray]] = []

    def push(self, first: int, samples: FloatArray) -> list[tuple[int, FloatArray]]:
        """Add float32 [n, channels] from the sample `first` of the file on. Returns what is mixed: first sample, and
        float32 [n]."""
        if not (samples.min() >= -MAX_SAMPLE and samples.max() <= MAX_SAMPLE):  # true for NaN as well
            damaged = ~(np.abs(samples) <= MAX_SAMPLE)
            self.damaged_samples += int(damaged.sum())
            samples[damaged] = 0.0
        if samples.shape[1] == 1:
            return [(first, samples[:, 0])]
        mixed = []
        while len(samples):
            block = first // BLOCK_SAMPLES
            if self._held and self._held[0][0] // BLOCK_SAMPLES != block:
                mixed += self.flush()
            count = min(len(samples), (block + 1) * BLOCK_SAMPLES - first)
            self._held.append((first, samples[:count]))
            first, samples = first + count, samples[count:]
        return mixed

    def flush(self) -> list[tuple[int, FloatArray]]:
        """What is left, at the end."""
        held, self._held = self._held, []
        if not held:
            return []
        mixed = mix_down(np.concatenate([samples for _, samples in held]), self._is_discrete)
        ends = accumulate(len(samples) for _, samples in held)
        return [(first, mixed[end - len(samples) : end]) for (first, samples), end in zip(held, ends, strict=True)]


def mix_down(block: FloatArray, is_discrete: bool) -> FloatArray:
    """One channel, float32 [n], of a block of at most BLOCK_SAMPLES, float32 [n, channels].

    The mean; of discrete channels only those that are not silent, as unused inputs of a recorder are. Two channels out
    of phase give half their difference.
    """
    weights = np.full(block.shape[1], 1 / block.shape[1], dtype=np.float32)
    if is_discrete:
        powers = np.einsum("nc,nc->c", block, block)
        used = powers > min(_MIN_POWER * len(block), _MAX_UNUSED * powers.max())
        weights = (used / max(used.sum(), 1)).astype(np.float32)
    if block.shape[1] == 2 and _cancel(block):
        weights[:] = (0.5, -0.5)
    mixed: FloatArray = block @ weights
    return mixed


def _cancel(block: FloatArray) -> bool:
    """Whether two channels, float32 [n, 2], are out of phase.

    As complex numbers z = left + i right: |z|^2 is left^2 + right^2, and z^2 is left^2 - right^2 + 2i left right. BLAS
    sums both in a sixth of the time of `block.T @ block`.
    """
    pairs = np.ascontiguousarray(block).view(np.complex64)[:, 0]
    total, squares = float(np.vdot(pairs, pairs).real), complex(np.dot(pairs, pairs))
    quieter = (total - abs(squares.real)) / 2
    return bool((total + squares.imag) / 4 < _MAX_CANCELLATION**2 * quieter)
