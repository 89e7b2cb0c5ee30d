"""The starter set made as weak as the published models, by noise on what it says about media."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path

import numpy as np

from benchmarks.many_windows import made_up_file, made_up_segments
from pesearch.encoders.io_types import ReadSteps
from pesearch.encoders.model_set import ModelSet
from pesearch.matching import ReferenceWindows
from pesearch.store.library import Library, create_library, open_library
from pesearch.timeline import HOP_SECONDS
from pesearch.types import EncodedFile, FloatArray, MediaFile, SpaceName, SpaceVectors

EVENT_NOISE = 2.0
"""Standard deviation of the noise on the logits of PE-A-Frame, for each unit of noise."""

FILES_PER_BATCH = 20

Rng = np.random.Generator


class WeakModels(ModelSet):
    """The models of a set, with noise on the reference windows and on the logits of events."""

    def __init__(self, models: ModelSet, noise: float, seed: int) -> None:
        super().__init__(models.description, models.folders, ",".join(models.devices))
        self._models = models._models
        self._noise, self._seed = noise, seed

    @cached_property
    def reference(self) -> ReferenceWindows | None:
        known = super().reference
        if known is None:
            return None
        rng = np.random.default_rng([self._seed, 1])
        noisy = {name: add_noise(name, vectors, self._noise, rng) for name, vectors in known.vectors.items()}
        return ReferenceWindows(noisy, known.counts)

    def iter_event_probabilities(self, read: ReadSteps, steps: int, phrases: Sequence[str]) -> Iterator[FloatArray]:
        rng = np.random.default_rng([self._seed, 2])
        for probabilities in super().iter_event_probabilities(read, steps, phrases):
            bounded = np.clip(probabilities, 1e-6, 1 - 1e-6)
            noise = EVENT_NOISE * self._noise * rng.standard_normal(bounded.shape)
            yield (1 / (1 + (1 - bounded) / bounded * np.exp(-noise))).astype(np.float32)


def add_noise(space: SpaceName, vectors: FloatArray, noise: float, rng: Rng) -> FloatArray:
    """Vectors [n, dim] with noise of `noise` times their length in a random direction; in the frame space of unit
    length, as PE-Core's are."""
    directions = rng.standard_normal(vectors.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    noisy = vectors + noise * np.linalg.norm(vectors, axis=1, keepdims=True) * directions
    if space is SpaceName.FRAME:
        noisy /= np.linalg.norm(noisy, axis=1, keepdims=True)
    added: FloatArray = noisy.astype(np.float32)
    return added


def weak_library(
    folder: Path, source: Library, noise: float, seed: int, unrelated: Library | None = None, fill: int = 0
) -> Library:
    """A library of the files of `source` with noise on all vectors, and `fill` windows made of those of `unrelated`."""
    rng = np.random.default_rng([seed, 0])
    own = (_noisy_file(source, file, noise, rng) for file in source.files())
    return changed_library(folder, source, own if unrelated is None else chain(own, _fill(unrelated, fill, noise, rng)))


def changed_library(folder: Path, source: Library, files: Iterator[EncodedFile]) -> Library:
    """A library of the models of `source` with these files; the one that is there, if `folder` exists."""
    if folder.exists():
        return open_library(folder)
    library = create_library(folder, source.model_set, source.spaces)
    with library.writer() as writer:
        while some := list(islice(files, FILES_PER_BATCH)):
            writer.add(some)
        for _ in writer.maintain():
            pass
    return library


def _noisy_file(source: Library, file: MediaFile, noise: float, rng: Rng) -> EncodedFile:
    vectors = []
    for space in source.spaces:
        stored = source.vectors(file.id, space.name)
        vectors.append(SpaceVectors(space.name, stored.segments, add_noise(space.name, stored.vectors, noise, rng)))
    return EncodedFile(file.locations[0], file.fingerprint, file.info, tuple(vectors), source.features(file.id))


def _fill(source: Library, fill: int, noise: float, rng: Rng) -> Iterator[EncodedFile]:
    """Files of ten minutes, each window of which is one of `source`, mixed with another."""
    stored = {
        space.name: [source.vectors(file.id, space.name).vectors for file in source.files()] for space in source.spaces
    }
    segments = {space: made_up_segments(space) for space in stored}
    windows = len(segments[SpaceName.VIDEO])
    window_of_frame = np.minimum(segments[SpaceName.FRAME][:, 0] / HOP_SECONDS, windows - 1).astype(np.int64)
    for number in range(-(-fill // windows)):
        clips = rng.integers(len(source.files()), size=(2, windows))
        share = rng.uniform(0.5, 1.0, size=windows)
        vectors = []
        for space, of_clips in stored.items():
            of_row = window_of_frame if space is SpaceName.FRAME else np.arange(windows)
            one, other = (
                np.stack([of_clips[clip][rng.integers(len(of_clips[clip]))] for clip in each[of_row]]) for each in clips
            )
            mixed = (share[of_row, None] * one + (1 - share[of_row, None]) * other).astype(np.float32)
            vectors.append(SpaceVectors(space, segments[space], add_noise(space, mixed, noise, rng)))
        yield made_up_file(number, vectors)
