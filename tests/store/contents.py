"""Made-up encoded files, whose vectors and features are determined by their content."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from pesearch.locations import Location
from pesearch.types import (
    AudioStream,
    CodecFeatures,
    EncodedFile,
    Failure,
    FloatArray,
    MediaInfo,
    MediaKind,
    Space,
    SpaceName,
    SpaceVectors,
    VideoStream,
)

AUDIO = Space(SpaceName.AUDIO, "made-up-audio", "1", 8)
FRAME = Space(SpaceName.FRAME, "made-up-frame", "1", 16)
SPACES = (AUDIO, FRAME)
SECONDS = 15.0
CODEC = "made-up-codec"
STEP_DIM = 4


def vectors(content: str, space: Space, rows: int) -> SpaceVectors:
    """Random vectors that float16 represents exactly, one per second."""
    random = np.random.default_rng(zlib.crc32(f"{content} {space.name}".encode()))
    values = random.standard_normal((rows, space.dim)).astype(np.float16).astype(np.float32)
    starts = np.arange(rows, dtype=np.float64)
    return SpaceVectors(space.name, np.stack([starts, starts + 1], axis=1), values)


def features(content: str, steps: int, codec: str = CODEC) -> CodecFeatures:
    """Random features."""
    random = np.random.default_rng(zlib.crc32(f"{content} {codec}".encode()))
    return CodecFeatures(codec, random.standard_normal((steps, STEP_DIM)).astype(np.float16))


def encoded(
    path: str, content: str, rows: int = 3, modified_ns: int = 7, steps: int = 0, codec: str = CODEC
) -> EncodedFile:
    """A video with `rows` vectors in each space, and features unless `steps` is 0."""
    info = MediaInfo(MediaKind.VIDEO, SECONDS, VideoStream("h264", 640, 360, 29.97), AudioStream("aac", 44100, 2))
    parts = tuple(vectors(content, space, rows) for space in SPACES)
    return EncodedFile(
        location(path, modified_ns), content, info, parts, features(content, steps, codec) if steps else None
    )


def location(path: str, modified_ns: int = 7) -> Location:
    return Location(Path(path), 1000, modified_ns)


def failure(path: str, reason: str = "it is empty", modified_ns: int = 7) -> Failure:
    return Failure(location(path, modified_ns), reason)


def queries(space: Space, count: int = 2) -> FloatArray:
    return np.random.default_rng(1).standard_normal((count, space.dim)).astype(np.float32)
