"""Real libraries with hand-made vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from pesearch.cues import Cue, CueSource
from pesearch.locations import Location
from pesearch.search.score import distinct_windows
from pesearch.store.library import Library, create_library
from pesearch.timeline import windows
from pesearch.types import (
    MEDIA_SPACES,
    AudioStream,
    EncodedFile,
    MediaInfo,
    MediaKind,
    Space,
    SpaceName,
    SpaceVectors,
    VideoStream,
)
from tests.store.templates import copy_library

Vectors = Mapping[SpaceName, list[list[float]]]
MakeLibrary = Callable[..., Library]

INFO = {
    ".mp4": (MediaKind.VIDEO, VideoStream("h264", 64, 64, 25.0), AudioStream("aac", 48_000, 1)),
    ".wav": (MediaKind.AUDIO, None, AudioStream("pcm_s16le", 48_000, 1)),
    ".png": (MediaKind.IMAGE, VideoStream("png", 64, 64, 0.0), None),
}


@pytest.fixture
def without_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the plane of the hand-made vectors many have the same direction: they are no copies of one another."""
    monkeypatch.setattr(distinct_windows, "COPY_COSINE", 2.0)


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an empty library of two dimensions, to be copied."""
    spaces = [Space(name, "by hand", "1", 2) for name in MEDIA_SPACES]
    return create_library(tmp_path_factory.mktemp("template") / "library", "starter", spaces).folder


@pytest.fixture
def make_library(empty_library: Path, tmp_path: Path) -> MakeLibrary:
    """Returns a function that makes a library with two dimensions from the vectors of its files by name.

    There is one vector per window, and per frame from 0 s on.
    """

    def make(
        files: Mapping[str, Vectors], seconds: float = 10.0, cues: Mapping[str, Sequence[Cue]] | None = None
    ) -> Library:
        library = copy_library(empty_library, tmp_path / "library")
        with library.writer() as writer:
            writer.add(
                [
                    encoded(tmp_path / name, vectors, seconds, (cues or {}).get(name, ()))
                    for name, vectors in files.items()
                ]
            )
        return library

    return make


def encoded(path: Path, vectors: Vectors, seconds: float, cues: Sequence[Cue] = ()) -> EncodedFile:
    kind, video, audio = INFO[path.suffix]
    duration = 0.0 if kind is MediaKind.IMAGE else seconds
    return EncodedFile(
        location=Location(path, 1, 1),
        fingerprint=path.name,
        info=MediaInfo(kind, duration, video, audio),
        vectors=tuple(
            SpaceVectors(space, segments(space, len(rows), duration), np.array(rows, dtype=np.float32))
            for space, rows in vectors.items()
        ),
        cues=(CueSource(None, None, tuple(cues)),) if cues else (),
    )


def segments(space: SpaceName, count: int, duration: float) -> np.ndarray:
    if not duration:
        return np.zeros((count, 2))
    if space is SpaceName.FRAME:
        return np.array([(number * 0.625, (number + 1) * 0.625) for number in range(count)])
    return windows(duration)[:count]
