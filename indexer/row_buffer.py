"""Buffers the rows of a file: collected in memory, or, for a long file, streamed to shards on disk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from pesearch.indexer.survey import EmbedTask
from pesearch.locations import Location
from pesearch.store.shards.records import StreamedFile
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.timeline import step_count
from pesearch.types import CodecFeatures, EncodedFile, FloatArray, HalfArray, MediaInfo, SpaceName, SpaceVectors

BATCH_ROWS = 512
"""Vectors of one space that are passed on to the target at a time."""


class InMemoryRows:
    """Collects the rows of a file in memory. Same interface as `StreamingShardWriter`."""

    def __init__(self) -> None:
        self._vectors: dict[SpaceName, list[SpaceVectors]] = defaultdict(list)
        self._features: list[CodecFeatures] = []

    def add_vectors(self, vectors: SpaceVectors) -> None:
        """Appends vectors of one space."""
        self._vectors[vectors.space].append(vectors)

    def add_features(self, features: CodecFeatures) -> None:
        """Appends the features of the next steps."""
        self._features.append(features)

    def drop_features(self) -> None:
        """Discards the features, because some steps are missing."""
        self._features.clear()

    def finish(self, location: Location, fingerprint: str, info: MediaInfo) -> EncodedFile:
        """The file with all its vectors and features."""
        vectors = tuple(_concatenated(space, parts) for space, parts in self._vectors.items())
        steps = [each.steps for each in self._features]
        features = CodecFeatures(self._features[0].codec, np.concatenate(steps)) if steps else None
        return EncodedFile(location, fingerprint, info, vectors, features)

    def discard(self) -> None:
        """Frees all rows."""
        self._vectors.clear()
        self.drop_features()


class RowBuffer:
    """Takes the rows of one file and passes them to the target in batches, rounded to float16 as they are stored.

    `is_empty`: no vector has been added. `is_finite`: all vectors were finite in float16.
    """

    def __init__(self, duration_seconds: float, codec: str | None, target: InMemoryRows | StreamingShardWriter) -> None:
        """`codec` is the digest of the codec whose features are stored; None stores no features."""
        self._target = target
        self._codec = codec
        self._step_count = step_count(duration_seconds)
        self._steps_added = 0
        self._segments: dict[SpaceName, list[tuple[float, float]]] = defaultdict(list)
        self._vectors: dict[SpaceName, list[HalfArray]] = defaultdict(list)
        self.is_empty = True
        self.is_finite = True

    def add_vector(self, space: SpaceName, start_seconds: float, end_seconds: float, vector: FloatArray) -> None:
        """Adds a float32 [dim] vector, in order of time. After a vector that is not finite, all further ones are
        dropped."""
        half = _to_float16(vector)
        self.is_empty = False
        self.is_finite = self.is_finite and bool(np.isfinite(half).all())
        if self.is_finite:
            self._segments[space].append((start_seconds, end_seconds))
            self._vectors[space].append(half)
            if len(self._vectors[space]) == BATCH_ROWS:
                self._flush(space)

    def add_steps(self, start: int, steps: FloatArray) -> None:
        """Adds the float32 [n, dim] features of the steps from `start` on. After a gap, the file keeps no features."""
        if self._codec is None:
            return
        half = _to_float16(steps)
        if start == self._steps_added and np.isfinite(half).all():
            self._target.add_features(CodecFeatures(self._codec, half))
            self._steps_added += len(half)
        else:
            self._codec = None

    def finish(self, task: EmbedTask) -> EncodedFile | StreamedFile:
        """The file, ready to be committed. Raises NoSpaceLeft, LibraryError."""
        for space in self._vectors:
            self._flush(space)
        if self._codec is None or self._steps_added != self._step_count:
            self._target.drop_features()
        return self._target.finish(task.location, task.fingerprint, task.info)

    def discard(self) -> None:
        """Frees all rows and deletes the file's shards."""
        self._target.discard()

    def _flush(self, space: SpaceName) -> None:
        if vectors := self._vectors[space]:
            segments = np.array(self._segments[space], dtype=np.float64)
            self._target.add_vectors(SpaceVectors(space, segments, np.stack(vectors).astype(np.float32)))
            vectors.clear()
            self._segments[space].clear()


def _concatenated(space: SpaceName, parts: Sequence[SpaceVectors]) -> SpaceVectors:
    segments, vectors = [each.segments for each in parts], [each.vectors for each in parts]
    return SpaceVectors(space, np.concatenate(segments), np.concatenate(vectors))


def _to_float16(values: FloatArray) -> HalfArray:
    """Values out of range become infinite, which the caller checks."""
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float16)
