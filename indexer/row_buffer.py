"""What a file gives, row by row: gathered in memory, or, of a long file, in shards on the disk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from pesearch.indexer.survey import Work
from pesearch.locations import Location
from pesearch.store.shards.records import StreamedFile
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.timeline import step_count
from pesearch.types import CodecFeatures, EncodedFile, FloatArray, HalfArray, MediaInfo, SpaceName, SpaceVectors

BATCH_ROWS = 512
"""So many vectors of one space are handed on at a time."""


class InMemoryRows:
    """The rows of a file in memory: for a file that is not long. As a `StreamingShardWriter`."""

    def __init__(self) -> None:
        self._vectors: dict[SpaceName, list[SpaceVectors]] = defaultdict(list)
        self._features: list[CodecFeatures] = []

    def add_vectors(self, vectors: SpaceVectors) -> None:
        """More of the file in one space."""
        self._vectors[vectors.space].append(vectors)

    def add_features(self, features: CodecFeatures) -> None:
        """The next steps of the file."""
        self._features.append(features)

    def drop_features(self) -> None:
        """A part of the features is missing."""
        self._features.clear()

    def finish(self, location: Location, fingerprint: str, info: MediaInfo) -> EncodedFile:
        """The file with all its vectors."""
        vectors = tuple(_joined(space, parts) for space, parts in self._vectors.items())
        steps = [each.steps for each in self._features]
        features = CodecFeatures(self._features[0].codec, np.concatenate(steps)) if steps else None
        return EncodedFile(location, fingerprint, info, vectors, features)

    def discard(self) -> None:
        """Leaves nothing."""
        self._vectors.clear()
        self.drop_features()


class FileRows:
    """Takes the rows of one file as they come, and hands them on by the batch, in float16 as they will be stored."""

    def __init__(self, duration_seconds: float, codec: str | None, target: InMemoryRows | StreamingShardWriter) -> None:
        """`codec` made the features; None: they are not kept."""
        self._target = target
        self._codec = codec
        self._step_count = step_count(duration_seconds)
        self._steps_heard = 0
        self._segments: dict[SpaceName, list[tuple[float, float]]] = defaultdict(list)
        self._vectors: dict[SpaceName, list[HalfArray]] = defaultdict(list)
        self.is_empty = True
        self.is_finite = True

    def add_vector(self, space: SpaceName, start_seconds: float, end_seconds: float, vector: FloatArray) -> None:
        """One vector more, float32 [dim], in the order of time. After one that is not finite no more are kept."""
        half = _half(vector)
        self.is_empty = False
        self.is_finite = self.is_finite and bool(np.isfinite(half).all())
        if self.is_finite:
            self._segments[space].append((start_seconds, end_seconds))
            self._vectors[space].append(half)
            if len(self._vectors[space]) == BATCH_ROWS:
                self._hand_on(space)

    def add_steps(self, start: int, steps: FloatArray) -> None:
        """The features of the steps from `start` on, float32 [n, dim]. Where some are missing, none of the file's are
        kept."""
        if self._codec is None:
            return
        half = _half(steps)
        if start == self._steps_heard and np.isfinite(half).all():
            self._target.add_features(CodecFeatures(self._codec, half))
            self._steps_heard += len(half)
        else:
            self._codec = None

    def finish(self, task: Work) -> EncodedFile | StreamedFile:
        """The file as it goes to the library. Raises NoSpaceLeft, LibraryError."""
        for space in self._vectors:
            self._hand_on(space)
        if self._codec is None or self._steps_heard != self._step_count:
            self._target.drop_features()
        return self._target.finish(task.location, task.fingerprint, task.info)

    def discard(self) -> None:
        """Leaves nothing of it on the disk."""
        self._target.discard()

    def _hand_on(self, space: SpaceName) -> None:
        if vectors := self._vectors[space]:
            segments = np.array(self._segments[space], dtype=np.float64)
            self._target.add_vectors(SpaceVectors(space, segments, np.stack(vectors).astype(np.float32)))
            vectors.clear()
            self._segments[space].clear()


def _joined(space: SpaceName, parts: Sequence[SpaceVectors]) -> SpaceVectors:
    segments, vectors = [each.segments for each in parts], [each.vectors for each in parts]
    return SpaceVectors(space, np.concatenate(segments), np.concatenate(vectors))


def _half(values: FloatArray) -> HalfArray:
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit becomes infinite, and is found as such
        return values.astype(np.float16)
