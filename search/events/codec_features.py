"""The sound of a file as the codec's features, from the file itself, for what no library keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pesearch.media.audio import AudioReader
from pesearch.timeline import CHUNK_SECONDS, STEPS_PER_SECOND, step_count
from pesearch.types import FloatArray

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet

CHUNK_STEPS = round(CHUNK_SECONDS * STEPS_PER_SECOND)


class DecodedSound:
    """The steps of a file from `first` to before `stop`, or as far as it goes, decoded and encoded chunk by chunk.

    The features are those of the whole track: the codec hears what is before a chunk and after it. Read forwards, each
    chunk is made once; the chunks of the last range are kept.
    """

    def __init__(self, reader: AudioReader, models: ModelSet, first: int, stop: int) -> None:
        self._reader = reader
        self._models = models
        self._all_steps = step_count(reader.duration_seconds)
        self._first = first
        self.steps = max(min(stop, self._all_steps) - first, 0)
        self._chunks: dict[int, FloatArray] = {}

    def read(self, first: int, stop: int) -> FloatArray:
        """float32 [stop - first, dim] of steps counted from where it begins. Raises MediaError, DeviceError."""
        starts = range(first // CHUNK_STEPS * CHUNK_STEPS, stop, CHUNK_STEPS)
        self._chunks = {start: self._chunks[start] if start in self._chunks else self._chunk(start) for start in starts}
        return np.concatenate(list(self._chunks.values()))[first - starts[0] : stop - starts[0]]

    def _chunk(self, at: int) -> FloatArray:
        from pesearch.encoders.chunked_codec import SoundChunk  # not before it is needed: it brings torch

        start, stop = self._first + at, self._first + min(at + CHUNK_STEPS, self.steps)
        context = self._models.event_context_steps
        first, last = max(start - context, 0), min(stop + context, self._all_steps)
        until = min(last / STEPS_PER_SECOND, self._reader.duration_seconds)
        samples = self._reader.read(first / STEPS_PER_SECOND, until)
        (features,) = self._models.encode_event_sound([SoundChunk(samples, first, start, stop, (), ())])
        return features.steps
