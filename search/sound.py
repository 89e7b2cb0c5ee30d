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
    """The steps of a file, decoded and encoded in chunks that lie on one grid: the features are those of the whole
    track, whatever is asked for. Read forwards each chunk is made once; it keeps the chunks of the last range."""

    def __init__(self, reader: AudioReader, models: ModelSet) -> None:
        self._reader = reader
        self._models = models
        self.steps = step_count(reader.duration_seconds)
        self._chunks: dict[int, FloatArray] = {}

    def read(self, first: int, stop: int) -> FloatArray:
        """float32 [stop - first, dim] of the steps from `first` to before `stop`. Raises MediaError, DeviceError."""
        numbers = range(first // CHUNK_STEPS, (stop - 1) // CHUNK_STEPS + 1)
        known = self._chunks
        self._chunks = {}
        for number in numbers:
            self._chunks[number] = known[number] if number in known else self._chunk(number)
        start = first - numbers[0] * CHUNK_STEPS
        return np.concatenate(list(self._chunks.values()))[start : start + stop - first]

    def _chunk(self, number: int) -> FloatArray:
        from pesearch.encoders.sound import SoundChunk  # not before it is needed: it brings torch

        start, stop = number * CHUNK_STEPS, min((number + 1) * CHUNK_STEPS, self.steps)
        context = self._models.event_context_steps
        first, last = max(start - context, 0), min(stop + context, self.steps)
        until = min(last / STEPS_PER_SECOND, self._reader.duration_seconds)
        samples = self._reader.read(first / STEPS_PER_SECOND, until)
        (features,) = self._models.encode_event_sound([SoundChunk(samples, first, start, stop, (), ())])
        return features.steps
