"""The probability of each sound (a phrase) at each step of 40 ms, from codec features of any length."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pesearch.encoders.io_types import ReadSteps, sigmoid
from pesearch.encoders.overlap_add import Bounds, overlap_add, overlapping_windows
from pesearch.types import FloatArray


class SoundDetector(ABC):
    """PE-A-Frame without its codec. `Text` is what an implementation makes of phrases."""

    @property
    @abstractmethod
    def codec_digest(self) -> str:
        """Digest of the codec whose features it takes."""

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """Windows computed at once."""

    @abstractmethod
    def embed_phrases(self, phrases: Sequence[str]) -> Any:
        """Phrases as the second argument of `logits`."""

    @abstractmethod
    def logits(self, windows: Sequence[FloatArray], text: Any) -> list[FloatArray]:
        """Logits float32 [phrases, steps] of windows [steps, dim] of equal length, for embedded phrases."""

    def probabilities(self, features: FloatArray, phrases: Sequence[str]) -> FloatArray:
        """float32 [phrases, steps] in 0..1, for codec features float32 [steps, dim] of any length."""
        empty = np.zeros((len(phrases), 0 if phrases else len(features)), dtype=np.float32)
        parts = self.iter_probabilities(lambda first, stop: features[first:stop], len(features), phrases)
        return np.concatenate([empty, *parts], axis=1)

    def iter_probabilities(self, read: ReadSteps, steps: int, phrases: Sequence[str]) -> Iterator[FloatArray]:
        """`probabilities` piece by piece, float32 [phrases, n], in memory that does not grow with the steps."""
        bounds = overlapping_windows(steps) if phrases else []
        for logits in overlap_add(bounds, self._window_logits(read, bounds, phrases)):
            yield sigmoid(logits)

    def _window_logits(self, read: ReadSteps, bounds: Sequence[Bounds], phrases: Sequence[str]) -> Iterator[FloatArray]:
        """The logits [phrases, steps] of each window. Steps shared by windows of a batch are read once."""
        text, done = self.embed_phrases(phrases), 0
        while done < len(bounds):
            batch = bounds[done : done + self.batch_size]
            first = batch[0][0]
            features = read(first, batch[-1][1])
            yield from self.logits([features[start - first : stop - first] for start, stop in batch], text)
            done += len(batch)
