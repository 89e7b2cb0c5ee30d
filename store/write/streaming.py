"""A long file on its way into a library: what the models make of it goes to the disk while it is embedded.

So the length of a file does not matter to memory. Its shards are whole and durable before they are registered, as those
of short files are; what is left behind is swept by the next writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pesearch.locations import Location
from pesearch.store.disk.durable import disk_errors
from pesearch.store.shards.features import FeatureStream, check_features
from pesearch.store.shards.format import Shard
from pesearch.store.shards.records import Extent, StreamedFile
from pesearch.store.shards.vectors import VectorStream, check_storable
from pesearch.types import CodecFeatures, MediaInfo, Space, SpaceName, SpaceVectors

BATCH_ROWS = 4096
"""The vectors of one record batch: 8 MiB at 1024 numbers each."""


class StreamingShardWriter:
    """The shards of one file for the library in `folder`, in this process or another than its writer's.

    Methods raise `NoSpaceLeft` and `LibraryError`, and `ValueError` for what `Writer.add` would not take.
    """

    def __init__(self, folder: Path, spaces: Sequence[Space]) -> None:
        self._folder = folder
        self._spaces = {space.name: space for space in spaces}
        self._vectors: dict[SpaceName, VectorStream] = {}
        self._features: FeatureStream | None = None

    def add_vectors(self, vectors: SpaceVectors) -> None:
        """More of the file in one space."""
        check_storable(vectors)
        with disk_errors(self._folder):
            if vectors.space not in self._vectors:
                self._vectors[vectors.space] = VectorStream(self._folder, self._spaces[vectors.space], BATCH_ROWS)
            self._vectors[vectors.space].append(vectors)

    def add_features(self, features: CodecFeatures) -> None:
        """The next steps of the file, all of one codec."""
        check_features(features)
        with disk_errors(self._folder):
            if self._features is None:
                self._features = FeatureStream(self._folder, features.codec, features.steps.shape[1])
            self._features.append(features.steps)

    def finish(self, location: Location, fingerprint: str, info: MediaInfo) -> StreamedFile:
        """The file, its shards ready to be registered."""
        with disk_errors(self._folder):
            shards: list[Shard] = [stream.finish() for stream in self._vectors.values()]
            if self._features is not None:
                shards.append(self._features.finish())
        return StreamedFile(location, fingerprint, info, tuple(Extent(shard, 0, shard.rows) for shard in shards))

    def drop_features(self) -> None:
        """Leaves nothing of the features: a part of them is missing."""
        if self._features is not None:
            self._features.discard()
            self._features = None

    def discard(self) -> None:
        """Leaves nothing of the file."""
        self.drop_features()
        for stream in self._vectors.values():
            stream.discard()
        self._vectors.clear()
