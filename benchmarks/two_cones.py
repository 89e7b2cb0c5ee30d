"""Synthetic vectors with the modality gap of real ones: media in one cone, queries in another.

- Every unit vector is a mean direction of its modality and a content: media `sqrt(.45) m + sqrt(.55) c`, so that two of
  any content have a cosine near 0.45. Questions `sqrt(.45) t + sqrt(.15) c + sqrt(.40) n`, where `t` has a cosine of
  0.1 with `m`, `c` is the content of one shot and `n` is content that only words express: a question and its shot have
  a cosine near 0.3, a question and anything else near 0.05 (CLIP's image and text vectors are like this).
- Contents have a covariance with eigenvalues 1/i: half of the dimensions hold 90 % of the variance.
- A content is the sum of a topic, a file, a shot and a moment (variances .35, .25, .25, .15). Topics are unequal
  (Zipf), files have from a few to thousands of rows (log-normal), shots about ten: neighbours are alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pesearch.types import FloatArray

TOPICS = 2000
_MOMENTS = 8000
"""Rows add up two of these: a new one for each row would take most of the time."""
_TOPIC, _FILE, _SHOT, _MOMENT = np.sqrt([0.35, 0.25, 0.25, 0.15])
_CONE, _CONTENT = np.sqrt([0.45, 0.55])
_MEANT, _SAID = np.sqrt([0.15, 0.40])


@dataclass(frozen=True, slots=True)
class MadeFile:
    """Rows of a file, float16-exact float32 [n, dim], and the contents of its shots [shots, dim]."""

    vectors: FloatArray
    shots: FloatArray


class TwoCones:
    """A world of vectors of one dimension; deterministic for a seed."""

    def __init__(self, dim: int, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        basis, _ = np.linalg.qr(self._random.standard_normal((dim, dim)))
        eigenvalues = 1 / np.arange(1, dim + 1)
        self._basis = (basis * np.sqrt(eigenvalues / eigenvalues.sum())[:, None]).astype(np.float32)
        media, text = _unit(self._random.standard_normal((2, dim)).astype(np.float32))
        self._media, self._text = media, _unit(0.1 * media + np.sqrt(0.99) * _unit(text - (text @ media) * media))
        self._topics = self._contents(TOPICS)
        self._moments = self._contents(_MOMENTS) / np.float32(np.sqrt(2))
        likely = 1 / np.arange(10, TOPICS + 10)
        self._likely = likely / likely.sum()

    def files(self, rows: int) -> Iterator[MadeFile]:
        """Files with that many rows in total."""
        while rows > 0:
            size = min(rows, 5 + int(self._random.lognormal(5.5, 1.2)))
            yield self._file(size)
            rows -= size

    def questions(self, contents: FloatArray, closeness: float = 1.0) -> FloatArray:
        """A question about each content: float32 [n, dim]. The rest up to a closeness of 1 is another content."""
        said = self._random.standard_normal(contents.shape, dtype=np.float32) / np.float32(np.sqrt(contents.shape[1]))
        meant = closeness * _unit(contents) + np.sqrt(1 - closeness**2) * _unit(self._contents(len(contents)))
        return _unit(_CONE * self._text + _MEANT * _unit(meant) + _SAID * said)

    def _file(self, size: int) -> MadeFile:
        topic = self._topics[self._random.choice(TOPICS, p=self._likely)]
        of_row = np.cumsum(self._random.random(size) < 0.1)
        about = _TOPIC * topic + _FILE * self._contents(1) + _SHOT * self._contents(int(of_row[-1]) + 1)
        first, second = self._random.integers(_MOMENTS, size=(2, size))
        contents = about[of_row] + _MOMENT * (self._moments[first] + self._moments[second])
        vectors = _unit(_CONE * self._media + _CONTENT * contents)
        return MadeFile(vectors.astype(np.float16).astype(np.float32), about)

    def _contents(self, count: int) -> FloatArray:
        contents: FloatArray = self._random.standard_normal((count, len(self._basis)), dtype=np.float32) @ self._basis
        return contents


def _unit(vectors: FloatArray) -> FloatArray:
    unit: FloatArray = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return unit
