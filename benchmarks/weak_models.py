"""The starter set made as weak as the published models, by noise on what it says about media."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, count, islice
from pathlib import Path

import numpy as np

from pesearch.encoders.io_types import ReadSteps
from pesearch.encoders.model_set import ModelSet
from pesearch.locations import Location
from pesearch.matching import ReferenceWindows
from pesearch.store.library import Library, create_library, open_library
from pesearch.timeline import grid, windows
from pesearch.types import (
    EncodedFile,
    FloatArray,
    MediaFile,
    MediaInfo,
    MediaKind,
    SpaceName,
    SpaceVectors,
    VideoStream,
)

EVENT_NOISE = 2.0
"""Standard deviation of the noise on the logits of PE-A-Frame, for each unit of noise."""

FILL_FILE_SECONDS = 600.0
FILES_PER_BATCH = 20

Rng = np.random.Generator


class WeakModels(ModelSet):
    """The models of a set, with noise on the reference windows and on the logits of events."""

    def __init__(self, models: ModelSet, noise: float, seed: int) -> None:
        super().__init__(models.description, models.folders, models.devices)
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
    if folder.exists():
        return open_library(folder)
    library, rng = create_library(folder, source.model_set, source.spaces), np.random.default_rng([seed, 0])
    own = (_noisy_file(source, file, noise, rng) for file in source.files())
    files = own if unrelated is None else chain(own, _fill(unrelated, fill, noise, rng))
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
    segments, times = windows(FILL_FILE_SECONDS), grid(0.0, FILL_FILE_SECONDS)
    frames = np.stack([times, np.minimum(times + 0.625, FILL_FILE_SECONDS)], axis=1)
    info = MediaInfo(MediaKind.VIDEO, FILL_FILE_SECONDS, VideoStream("h264", 64, 64, 25.0), None)
    stored = {
        space.name: [source.vectors(file.id, space.name).vectors for file in source.files()] for space in source.spaces
    }
    for number in count():
        if number * len(segments) >= fill:
            return
        clips = rng.integers(len(source.files()), size=(2, len(segments)))
        share = rng.uniform(0.5, 1.0, size=len(segments))
        window_of_frame = np.minimum((times / 5.0).astype(np.int64), len(segments) - 1)
        vectors = []
        for space, of_clips in stored.items():
            of_row = window_of_frame if space is SpaceName.FRAME else np.arange(len(segments))
            rows = [
                np.stack([of_clips[clip][rng.integers(len(of_clips[clip]))] for clip in each[of_row]]) for each in clips
            ]
            mixed = share[of_row, None] * rows[0] + (1 - share[of_row, None]) * rows[1]
            placed = frames if space is SpaceName.FRAME else segments
            vectors.append(SpaceVectors(space, placed, add_noise(space, mixed.astype(np.float32), noise, rng)))
        yield EncodedFile(Location(Path(f"/made up/{number}.mp4"), 1, 1), f"made up {number}", info, tuple(vectors))
