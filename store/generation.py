"""One generation of a library in memory: snapshot, mapped rows and indexes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pesearch.damage import DamagedFile
from pesearch.errors import VectorServerError
from pesearch.search_hits import Hits
from pesearch.store.catalogue.damaged_files import damaged_files
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.index.ann_registry import AnnRegistry
from pesearch.store.index.features import read_features
from pesearch.store.index.mapped_rows import MappedRows, map_file, map_rows
from pesearch.store.index.vector_search import VectorIndex, is_large, open_index
from pesearch.store.shards.damage import DamageRegistry
from pesearch.store.shards.format import Shard, VectorShard
from pesearch.types import CodecFeatures, FloatArray, Space, SpaceName

MAX_INDEX_TRIES = 8
"""How often a search on a Milvus is repeated because a writer replaced the index during it. A writer replaces it once
per step, which takes seconds."""


class Generation:
    """A snapshot of the catalogue with the indexes over its vectors, each opened on first use. Safe to share among
    threads.

    Reads raise RowsDamaged when they find damage, and can be repeated: the rows are then mapped without it.
    """

    def __init__(self, folder: Path, snapshot: Snapshot, ann: AnnRegistry, damage: DamageRegistry) -> None:
        self.snapshot = snapshot
        self._folder = folder
        self._ann = ann
        self._damage = damage
        self._rows: dict[SpaceName, tuple[int, MappedRows]] = {}
        self._indexes: dict[SpaceName, VectorIndex] = {}
        self._opening = threading.Lock()

    def rows(self, space: Space) -> MappedRows:
        """All rows of one space, mapped once for each damage that is found. Raises FileNotFoundError as `index`
        does."""
        version = self._damage.version
        held = self._rows.get(space.name)
        if held is None or held[0] != version:
            held = self._rows[space.name] = version, map_rows(self._damage, self.snapshot, space)
        return held[1]

    def rows_with(self, space: Space, file_id: int) -> MappedRows:
        """Rows of one space that include a file: all rows if they are mapped already, else those of the file."""
        is_mapped = space.name in self._rows
        return self.rows(space) if is_mapped else map_file(self._damage, self.snapshot, space, file_id)

    def features(self, file_id: int, start_step: int, stop_step: int | None) -> CodecFeatures | None:
        """As `read_features`."""
        return read_features(self._damage, self.snapshot, file_id, start_step, stop_step)

    def mark_checked(self, shard: Shard) -> None:
        """Do not check the vectors of a shard any more: it was compared as a whole."""
        for _, rows in list(self._rows.values()):
            if isinstance(shard, VectorShard) and rows.space.name is shard.space:
                rows.mark_checked(shard)

    def check_in_memory(self, space: Space) -> None:
        """Map the rows of a space, and read all of them if they are searched in memory."""
        rows = self.rows(space)
        if self.snapshot.milvus is None and not is_large(space, rows.layout):
            rows.check()

    def damage(self) -> tuple[DamagedFile, ...]:
        """The files with damage that was found so far."""
        return damaged_files(self.snapshot, self._damage)

    def search(self, space: Space, queries: FloatArray, k: int, file_ids: frozenset[int] | None) -> list[Hits]:
        """As `VectorIndex.search`.

        A writer may delete rows from a Milvus while it is searched. The search is then repeated with the new index.
        Raises VectorServerError after MAX_INDEX_TRIES.
        """
        for _ in range(MAX_INDEX_TRIES):
            index = self.index(space)
            try:
                hits = index.search(queries, k, file_ids)
            except VectorServerError:
                if self.index(space) is index:
                    raise
            else:
                if self.snapshot.milvus is None or self.index(space) is index:
                    return hits
        raise VectorServerError(
            f"The Milvus of the library {self._folder} changes faster than it can be searched: try again later"
        )

    def index(self, space: Space) -> VectorIndex:
        """The index of one space, over its latest ANN index on disk.

        Raises FileNotFoundError when this is no longer the last generation and one of its shards was deleted.
        """
        with self._opening:
            held = self._indexes.get(space.name)
            if held is None or held.rows is not self.rows(space):
                held = self._indexes[space.name] = self._open(space)
            elif (covering := self._ann.get(self.snapshot, space, held.rows.layout)) is not held.ann:
                held = self._indexes[space.name] = open_index(held.rows, covering)
            return held

    def _open(self, space: Space) -> VectorIndex:
        """Maps the shards in parallel to reading the cache: both wait for the disk."""
        with ThreadPoolExecutor(1, "pesearch-open") as beside:
            mapping = beside.submit(self.rows, space)
            covering = self._ann.get(self.snapshot, space, self.snapshot.vectors[space.name].layout())
            return open_index(mapping.result(), covering)
