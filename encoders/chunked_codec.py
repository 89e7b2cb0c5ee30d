"""The audio codec over a track, chunk by chunk, so that each second is computed once.

The chunks' features can be assembled into the features of any window of the track, equal to a codec call on the
window's samples alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch

from pesearch.encoders.codec import Codec
from pesearch.encoders.device import AdaptiveBatches, inference
from pesearch.encoders.io_types import SoundChunk, SoundFeatures
from pesearch.encoders.preprocess import batches_by_key, pad_to_whole_steps
from pesearch.timeline import STEP_SAMPLES, steps_of
from pesearch.types import FloatArray

CHUNK_BATCH_SIZES = {"cuda": 8, "mps": 1, "cpu": 1}
"""A chunk of 20 s takes less than 0.5 GB in the codec on a CPU and on Apple Silicon, which process 1 s at a time, and
2 GB on a CUDA GPU."""


class SoundEncoder:
    """Runs a codec over chunks on a device."""

    def __init__(self, codec: Codec, device: str) -> None:
        self._codec = codec
        self._device = device
        self.batches = AdaptiveBatches("audio chunks", device, CHUNK_BATCH_SIZES)

    def encode(self, chunks: Sequence[SoundChunk]) -> list[SoundFeatures]:
        """The features of each chunk. Raises DeviceError."""
        found: list[SoundFeatures | None] = [None if chunk.samples.any() else self._silent(chunk) for chunk in chunks]
        audible = [number for number, features in enumerate(found) if features is None]
        lengths = [len(chunks[number].samples) for number in audible]
        for positions in batches_by_key(lengths, len(audible)):
            batch = [audible[position] for position in positions]
            encoded = self.batches.run([chunks[number] for number in batch], self._encode)
            for number, features in zip(batch, encoded, strict=True):
                found[number] = features
        return [features for features in found if features is not None]

    def encode_whole(self, sounds: Sequence[FloatArray]) -> list[FloatArray]:
        """Whole sounds, each without context: float32 [samples] to float32 [steps, dim]. Raises DeviceError."""
        chunks = [SoundChunk(samples, 0, 0, steps_of(samples.size), (), ()) for samples in sounds]
        return [features.steps for features in self.encode(chunks)]

    def _encode(self, chunks: Sequence[SoundChunk]) -> list[SoundFeatures]:
        codec = self._codec
        with inference(self._device, exact=True):
            samples = torch.from_numpy(np.stack([pad_to_whole_steps(chunk.samples) for chunk in chunks]))[:, None]
            samples = samples.to(self._device, non_blocking=self._device != "mps")
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
        """For each chunk, by step: the features after the window starts, or before the window ends."""
        codec, found = self._codec, [dict[int, FloatArray]() for _ in chunks]
        cuts = [chunk.window_starts if is_start else chunk.window_ends for chunk in chunks]
        rows = [(row, step) for row, steps in enumerate(cuts) for step in steps]
        if not rows:
            return found

        def bounds(row: int, step: int, steps: int) -> tuple[int, int]:
            """The steps inside the window next to the cut."""
            cut = step - chunks[row].first
            return (cut, cut + steps) if is_start else (cut - steps, cut)

        sound_steps, state_steps = 2 * codec.fine_reach, codec.reach + codec.coarse_reach
        sound = torch.stack([_of_steps(samples[row], *bounds(row, step, sound_steps)) for row, step in rows])
        own = torch.stack([codec.states_of(states[row], *bounds(row, step, state_steps)) for row, step in rows])
        features = codec.after_cuts(sound, own) if is_start else codec.before_cuts(sound, own)
        for (row, step), changed in zip(rows, features.cpu().numpy(), strict=True):
            found[row][step] = changed
        return found

    def _silent(self, chunk: SoundChunk) -> SoundFeatures:
        """Features of digital silence are constant except near cuts, so they are copied instead of computed."""
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
        """Features of 2 * reach + 1 steps of silence: `reach` near each cut and one in the middle."""
        steps = 2 * self._codec.reach + 1
        with inference(self._device, exact=True):
            silence = torch.zeros(1, 1, steps * STEP_SAMPLES, device=self._device)
            features: FloatArray = self._codec(silence)[0].cpu().numpy()
        return features


def _of_steps(samples: torch.Tensor, start: int, stop: int) -> torch.Tensor:
    return samples[..., start * STEP_SAMPLES : stop * STEP_SAMPLES]
