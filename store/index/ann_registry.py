"""What a reader has open that covers the spaces of its library: indexes in memory, or collections on a Milvus."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple

from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.ivf_file import cache_path, read_cache
from pesearch.store.index.ivf_rabitq import IvfRabitqIndex
from pesearch.store.index.milvus.manifest import SpaceOnMilvus
from pesearch.store.index.milvus.search import MilvusIndex, open_milvus
from pesearch.store.index.vector_search import is_large
from pesearch.store.shards.row_ranges import RowRanges
from pesearch.types import Space, SpaceName

Covering = IvfRabitqIndex | MilvusIndex


class AnnRegistry:
    """One for each space: they serve one generation after the other.

    One is read again when its file was replaced; when the file is gone, or of no use any more, what was read stays.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: dict[SpaceName, _Opened] = {}
        self._opening = threading.Lock()

    def of(self, snapshot: Snapshot, space: Space, layout: RowRanges) -> Covering | None:
        """What covers files of a space, if there is anything. Small spaces need no compressed index."""
        if snapshot.milvus is None and not is_large(space, layout):
            return None
        with self._opening:
            made_for = _MadeFor(snapshot.library_id, snapshot.milvus)
            kept = self._opened.get(space.name)
            if kept is not None and kept.made_for != made_for:
                kept = None
            mark = _mark(self._path(made_for, space))
            if mark is not None and (kept is None or kept.mark != mark):
                old = None if kept is None else kept.found
                kept = self._opened[space.name] = _Opened(made_for, mark, self._read(made_for, space) or old)
            return None if kept is None else kept.found

    def _path(self, made_for: _MadeFor, space: Space) -> Path:
        held = self._on_milvus(made_for, space)
        return cache_path(self._folder, space.name) if held is None else held.path

    def _read(self, made_for: _MadeFor, space: Space) -> Covering | None:
        held = self._on_milvus(made_for, space)
        if held is not None:
            return open_milvus(held)
        cache = read_cache(self._folder, made_for.library_id, space)
        return None if cache is None else cache.index()

    def _on_milvus(self, made_for: _MadeFor, space: Space) -> SpaceOnMilvus | None:
        if made_for.milvus is None:
            return None
        return SpaceOnMilvus(self._folder, made_for.library_id, space, made_for.milvus)


class _MadeFor(NamedTuple):
    library_id: str
    milvus: MilvusAddress | None


class _Opened(NamedTuple):
    made_for: _MadeFor
    mark: tuple[int, int]
    found: Covering | None


def _mark(path: Path) -> tuple[int, int] | None:
    """What sets a file apart from the one that it replaced."""
    try:
        status = path.stat()
    except OSError:  # what cannot be looked at cannot be read either
        return None
    return status.st_ino, status.st_mtime_ns
