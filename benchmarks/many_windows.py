"""A library of many windows made from the vectors of a small one, for measuring latency."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from pesearch.locations import Location
from pesearch.store.library import Library, create_library, open_library
from pesearch.timeline import grid, windows
from pesearch.types import (
    EncodedFile,
    FloatArray,
    MediaInfo,
    MediaKind,
    SegmentArray,
    Space,
    SpaceName,
    SpaceVectors,
    VideoStream,
)

FILE_SECONDS = 600.0

MADE_UP = Path("/made up")
"""The folder of files that do not exist."""

FILES_PER_BATCH = 20

JITTER = 0.05
"""Noise relative to a vector's own deviation, so that no two rows are equal."""


def make_many_windows(folder: Path, source: Library, count: int, media: Path = MADE_UP) -> Library:
    """Add windows in files of ten minutes until there are enough.

    The files are `0.mp4`, `1.mp4`, ... in the folder `media`; they need not exist.
    """
    if folder.exists():
        return open_library(folder)
    library = create_library(folder, source.model_set, source.spaces)
    files = _files(source, -(-count // len(windows(FILE_SECONDS))), media)
    with library.writer() as writer:
        while batch := list(islice(files, FILES_PER_BATCH)):
            writer.add(batch)
        for _ in writer.maintain():
            pass
    return library


def made_up_file(number: int, vectors: Iterable[SpaceVectors], media: Path = MADE_UP) -> EncodedFile:
    """A video of FILE_SECONDS that does not exist, with these vectors."""
    info = MediaInfo(MediaKind.VIDEO, FILE_SECONDS, VideoStream("h264", 64, 64, 25.0), None)
    return EncodedFile(Location(media / f"{number}.mp4", 1, 1), f"made up {number}", info, tuple(vectors))


def made_up_segments(space: SpaceName) -> SegmentArray:
    """The segments of such a file in a space: its frames, or its windows."""
    if space is not SpaceName.FRAME:
        return windows(FILE_SECONDS)
    times = grid(0.0, FILE_SECONDS)
    return np.stack([times, np.minimum(times + 0.625, FILE_SECONDS)], axis=1)


def _files(source: Library, count: int, media: Path) -> Iterator[EncodedFile]:
    rng = np.random.default_rng(5)
    samples = {space.name: source.sample(space.name, 1 << 16) for space in source.spaces}
    for number in range(count):
        vectors = [_vectors(space, made_up_segments(space.name), samples[space.name], rng) for space in source.spaces]
        yield made_up_file(number, vectors, media)


def _vectors(space: Space, segments: SegmentArray, sample: FloatArray, rng: np.random.Generator) -> SpaceVectors:
    chosen = sample[rng.integers(len(sample), size=len(segments))]
    noise = JITTER * sample.std() * rng.standard_normal(chosen.shape)
    return SpaceVectors(space.name, segments, (chosen + noise).astype(np.float32))
