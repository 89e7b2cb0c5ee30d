"""The sound of a track through the codec, chunk by chunk: each second is paid for once.

What the track's chunks give can be put together to the features of any of its windows, equal to what a plain call on
the window's samples alone gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from pesearch.encoders.codec import Codec
from pesearch.encoders.device import Batches, computing
from pesearch.encoders.preprocess import batches_of_equals, whole_steps
from pesearch.timeline import STEP_SAMPLES, steps_of
from pesearch.types import FloatArray

CHUNKS_AT_ONCE = {"cuda": 8, "cpu": 1}
"""20 s of sound take about 0.5 GB in the codec on a CPU, where it hears 1 s at a time, and 2 GB on a GPU."""


@dataclass(frozen=True, slots=True)
class SoundChunk:
    """A stretch of a track, the steps (of 1920 samples) from `start` to before `stop`, and what lies around it.

    `samples` float32 at 48 kHz begin at step `first`: with the context that the codec wants, or where the track begins
    and ends. `window_starts` and `window_ends` are the steps inside at which windows are cut out of the track.
    """

    samples: FloatArray
    first: int
    start: int
    stop: int
    window_starts: tuple[int, ...]
    window_ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SoundFeatures:
    """What the codec makes of a chunk: `steps` float32 [stop - start, dim] of the whole track, and, by step, the
    features [reach, dim] after each start and before each end of a window, where cutting changes them."""

    start: int
    steps: FloatArray
    after_starts: Mapping[int, FloatArray]
    before_ends: Mapping[int, FloatArray]


class SoundEncoder:
    """A codec on a device."""

    def __init__(self, codec: Codec, device: str) -> None:
        self._codec = codec
        self._device = device
        self.batches = Batches("chunks of sound", device, CHUNKS_AT_ONCE)

    def encode(self, chunks: Sequence[SoundChunk]) -> list[SoundFeatures]:
        """The features of each chunk. Raises DeviceError."""
        found: list[SoundFeatures | None] = [None if chunk.samples.any() else self._silent(chunk) for chunk in chunks]
        heard = [number for number, features in enumerate(found) if features is None]
        lengths = [len(chunks[number].samples) for number in heard]
        for positions in batches_of_equals(lengths, len(heard)):
            batch = [heard[position] for position in positions]
            features = self.batches.run([chunks[number] for number in batch], self._encode)
            for number, each in zip(batch, features, strict=True):
                found[number] = each
        return [features for features in found if features is not None]

    def plain(self, windows: Sequence[FloatArray]) -> list[FloatArray]:
        """Whole stretches of sound, each on its own: float32 [samples] to float32 [steps, dim]."""
        chunks = [SoundChunk(window, 0, 0, steps_of(window.size), (), ()) for window in windows]
        return [features.steps for features in self.encode(chunks)]

    def _encode(self, chunks: Sequence[SoundChunk]) -> list[SoundFeatures]:
        codec = self._codec
        with computing(self._device, exact=True):
            samples = torch.from_numpy(np.stack([whole_steps(chunk.samples) for chunk in chunks]))[:, None]
            samples = samples.to(self._device, non_blocking=True)
            states = codec.early(samples)
            steps = codec.late(states).cpu().numpy()
            starts = self._at_cuts(chunks, samples, states, is_start=True)
            ends = self._at_cuts(chunks, samples, states, is_start=False)
        return [
            SoundFeatures(chunk.start, own[chunk.start - chunk.first : chunk.stop - chunk.first], after, before)
            for chunk, own, after, before in zip(chunks, steps, starts, ends, strict=True)
        ]

    def _at_cuts(
        self, chunks: Sequence[SoundChunk], samples: torch.Tensor, states: torch.Tensor, *, is_start: bool
    ) -> list[dict[int, FloatArray]]:
        """For each chunk, by step: the features after the starts of its windows, or before their ends."""
        codec, found = self._codec, [dict[int, FloatArray]() for _ in chunks]
        cuts = [chunk.window_starts if is_start else chunk.window_ends for chunk in chunks]
        rows = [(row, step) for row, steps in enumerate(cuts) for step in steps]
        if not rows:
            return found

        def beside(row: int, step: int, steps: int) -> tuple[int, int]:
            at = step - chunks[row].first
            return (at, at + steps) if is_start else (at - steps, at)

        sound_steps, state_steps = 2 * codec.fine_reach, codec.reach + codec.coarse_reach
        sound = torch.stack([_of_steps(samples[row], *beside(row, step, sound_steps)) for row, step in rows])
        own = torch.stack([codec.states_of(states[row], *beside(row, step, state_steps)) for row, step in rows])
        features = codec.after_cuts(sound, own) if is_start else codec.before_cuts(sound, own)
        for (row, step), made in zip(rows, features.cpu().numpy(), strict=True):
            found[row][step] = made
        return found

    def _silent(self, chunk: SoundChunk) -> SoundFeatures:
        """Digital silence sounds the same at every step but those near a cut: nothing has to be computed."""
        reach, silence = self._codec.reach, self._silence
        last = chunk.first + steps_of(chunk.samples.size)
        if last - chunk.first < len(silence):
            (features,) = self._encode([chunk])
            return features
        whole = np.repeat(silence[reach : reach + 1], last - chunk.first, axis=0)
        whole[:reach], whole[-reach:] = silence[:reach], silence[-reach:]
        return SoundFeatures(
            chunk.start,
            whole[chunk.start - chunk.first : chunk.stop - chunk.first],
            dict.fromkeys(chunk.window_starts, silence[:reach]),
            dict.fromkeys(chunk.window_ends, silence[-reach:]),
        )

    @cached_property
    def _silence(self) -> FloatArray:
        """Features of a short silence: `reach` after its start, one in its middle, `reach` before its end."""
        steps = 2 * self._codec.reach + 1
        with computing(self._device, exact=True):
            silence = torch.zeros(1, 1, steps * STEP_SAMPLES, device=self._device)
            features: FloatArray = self._codec(silence)[0].cpu().numpy()
        return features


def _of_steps(samples: torch.Tensor, start: int, stop: int) -> torch.Tensor:
    return samples[..., start * STEP_SAMPLES : stop * STEP_SAMPLES]
