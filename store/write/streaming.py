"""Write the shards of a long file while it is embedded, so that memory does not grow with its length.

Like shards of short files, they are durable before they are registered, and the next writer sweeps incomplete ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pesearch.locations import Location
from pesearch.store.catalogue.stamp import read_library_id
from pesearch.store.disk.durable import disk_errors
from pesearch.store.disk.lock import library_replaced
from pesearch.store.shards.features import FeatureStream, check_features
from pesearch.store.shards.format import Shard
from pesearch.store.shards.records import Extent, StreamedFile
from pesearch.store.shards.vectors import VectorStream, check_file_vectors
from pesearch.types import CodecFeatures, MediaInfo, Space, SpaceName, SpaceVectors

BATCH_ROWS = 4096
"""Vectors per record batch: 8 MiB at 1024 numbers each."""


class StreamingShardWriter:
    """Writes the shards of one file to the library in `folder`, in the writer's process or another.

    Methods raise NoSpaceLeft and LibraryError, and ValueError for the vectors and features that `Writer.add` rejects.
    In a folder where another library has taken the place of this one they write nothing more.
    """

    def __init__(self, folder: Path, spaces: Sequence[Space]) -> None:
        self._folder = folder
        self._library_id = read_library_id(folder)
        self._spaces = {space.name: space for space in spaces}
        self._vectors: dict[SpaceName, VectorStream] = {}
        self._last_segments: dict[SpaceName, npt.NDArray[np.float64]] = {}
        self._features: FeatureStream | None = None

    def add_vectors(self, vectors: SpaceVectors) -> None:
        """Append vectors of the file in one space, in order of time."""
        check_file_vectors(vectors)
        if not len(vectors.vectors):
            return
        if (vectors.segments[0] < self._last_segments.get(vectors.space, -np.inf)).any():
            raise ValueError(f"{vectors!r} begins before what was added before it ends")
        self._last_segments[vectors.space] = vectors.segments[-1]
        with disk_errors(self._folder):
            if vectors.space not in self._vectors:
                self._require_library()
                self._vectors[vectors.space] = VectorStream(self._folder, self._spaces[vectors.space], BATCH_ROWS)
            self._vectors[vectors.space].append(vectors)

    def add_features(self, features: CodecFeatures) -> None:
        """Append codec features, always of the same codec."""
        check_features(features)
        with disk_errors(self._folder):
            if self._features is None:
                self._require_library()
                self._features = FeatureStream(self._folder, features.codec, features.steps.shape[1])
            self._features.append(features.steps)

    def finish(self, location: Location, fingerprint: str, info: MediaInfo) -> StreamedFile:
        """Complete the shards. The file for `Writer.add`."""
        self._require_library()
        with disk_errors(self._folder):
            shards: list[Shard] = [stream.finish() for stream in self._vectors.values()]
            if self._features is not None:
                shards.append(self._features.finish())
        return StreamedFile(location, fingerprint, info, tuple(Extent(shard, 0, shard.rows) for shard in shards))

    def _require_library(self) -> None:
        if read_library_id(self._folder) != self._library_id:
            raise library_replaced(self._folder)

    def drop_features(self) -> None:
        """Delete the features written so far, when some of them are missing."""
        if self._features is not None:
            self._features.discard()
            self._features = None

    def discard(self) -> None:
        """Delete everything written so far."""
        self.drop_features()
        for stream in self._vectors.values():
            stream.discard()
        self._vectors.clear()
