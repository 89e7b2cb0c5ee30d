"""The ANN indexes that a reader has open, one per space: compressed indexes in memory, or collections on Milvus."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple

from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.compressed_file import compressed_path, read_compressed
from pesearch.store.index.milvus.manifest import SpaceOnMilvus
from pesearch.store.index.milvus.named_addresses import is_named
from pesearch.store.index.milvus.search import open_milvus_index
from pesearch.store.index.vector_search import AnnIndex, is_large
from pesearch.store.shards.row_ranges import RowRanges
from pesearch.types import Space, SpaceName


class AnnRegistry:
    """Caches the open indexes, which serve any number of generations.

    An index is read again when its file was replaced. When the file is deleted or becomes unusable, the index in memory
    stays in use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: dict[SpaceName, _Entry] = {}
        self._lock = threading.Lock()

    def get(self, snapshot: Snapshot, space: Space, layout: RowRanges) -> AnnIndex | None:
        """The index over files of a space; None when there is none. A small space needs no compressed index.

        A Milvus that the user has not named is not asked: the shards are searched.
        """
        milvus = snapshot.milvus if snapshot.milvus is not None and is_named(snapshot.milvus) else None
        if milvus is None and not is_large(space, layout):
            return None
        with self._lock:
            backend = _Backend(snapshot.library_id, milvus)
            entry = self._entries.get(space.name)
            if entry is not None and entry.backend != backend:
                entry = None
            version = _file_version(self._path(backend, space))
            if version is not None and (entry is None or entry.version != version):
                previous = None if entry is None else entry.ann
                index = self._read(backend, space) or previous
                entry = self._entries[space.name] = _Entry(backend, version, index)
            return None if entry is None else entry.ann

    def _path(self, backend: _Backend, space: Space) -> Path:
        on_milvus = self._on_milvus(backend, space)
        return compressed_path(self._folder, space.name) if on_milvus is None else on_milvus.path

    def _read(self, backend: _Backend, space: Space) -> AnnIndex | None:
        on_milvus = self._on_milvus(backend, space)
        if on_milvus is not None:
            return open_milvus_index(on_milvus)
        compressed_file = read_compressed(self._folder, backend.library_id, space)
        return None if compressed_file is None else compressed_file.load()

    def _on_milvus(self, backend: _Backend, space: Space) -> SpaceOnMilvus | None:
        if backend.milvus is None:
            return None
        return SpaceOnMilvus(self._folder, backend.library_id, space, backend.milvus)


class _Backend(NamedTuple):
    library_id: str
    milvus: MilvusAddress | None


class _Entry(NamedTuple):
    backend: _Backend
    version: tuple[int, int]
    ann: AnnIndex | None


def _file_version(path: Path) -> tuple[int, int] | None:
    """Inode and modification time, which differ for each file that replaces another. None when there is no file."""
    try:
        status = path.stat()
    except OSError:  # it could not be read either
        return None
    return status.st_ino, status.st_mtime_ns
