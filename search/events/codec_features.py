"""Codec features of files without stored features, decoded and encoded on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pesearch.encoders.io_types import SoundChunk
from pesearch.timeline import CHUNK_SECONDS, STEPS_PER_SECOND, step_count
from pesearch.types import FloatArray

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.media.audio import AudioReader

CHUNK_STEPS = round(CHUNK_SECONDS * STEPS_PER_SECOND)
"""Steps that are decoded and encoded at a time."""


class DecodedSound:
    """The codec features of a file from step `first` to `stop` (exclusive) or its end, in chunks.

    The features equal those of the whole track: each chunk is encoded with the context around it. The chunks of the
    last read are cached, so that sequential reads encode each chunk once.
    """

    def __init__(self, reader: AudioReader, models: ModelSet, first: int, stop: int) -> None:
        self._reader = reader
        self._models = models
        self._all_steps = step_count(reader.duration_seconds)
        self._first = first
        self.steps = max(min(stop, self._all_steps) - first, 0)
        self._chunks: dict[int, FloatArray] = {}

    def read(self, first: int, stop: int) -> FloatArray:
        """float32 [stop - first, dim], with steps relative to the first. Raises MediaError, DeviceError."""
        starts = range(first // CHUNK_STEPS * CHUNK_STEPS, stop, CHUNK_STEPS)
        self._chunks = {
            start: self._chunks[start] if start in self._chunks else self._encode_chunk(start) for start in starts
        }
        return np.concatenate(list(self._chunks.values()))[first - starts[0] : stop - starts[0]]

    def _encode_chunk(self, at: int) -> FloatArray:
        start, stop = self._first + at, self._first + min(at + CHUNK_STEPS, self.steps)
        context = self._models.event_context_steps
        first, last = max(start - context, 0), min(stop + context, self._all_steps)
        end = min(last / STEPS_PER_SECOND, self._reader.duration_seconds)
        samples = self._reader.read(first / STEPS_PER_SECOND, end)
        (features,) = self._models.encode_event_sound([SoundChunk(samples, first, start, stop, (), ())])
        return features.steps
