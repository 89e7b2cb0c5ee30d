"""Keeping the indexes up with their spaces, here or on a Milvus: what a writer does in its pauses, and last of all.

All that was committed stays so, whatever goes wrong here: a space without an index is searched exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import LibraryError, VectorServerError
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.disk.durable import disk_errors
from pesearch.store.index.fulltext_file import refresh_text
from pesearch.store.index.ivf_file import CacheFile, cache_path, read_cache, write_cache
from pesearch.store.index.ivf_rabitq import build, extend
from pesearch.store.index.mapped_rows import Rows, map_rows
from pesearch.store.index.milvus.client import in_passing, reach
from pesearch.store.index.milvus.manifest import SpaceOnMilvus
from pesearch.store.index.milvus.sync import bring_up
from pesearch.store.index.vector_search import is_large, uncovered
from pesearch.store.shards.format import shard_damaged
from pesearch.store.shards.row_ranges import RowRanges
from pesearch.types import Space

LEAST_NEW_ROWS, NEW_SHARE = 16384, 0.02
"""An index is extended when more rows than this, and than this share of it, are searched exactly beside it: 16,384 rows
take about as long as the index itself."""

GROWTH, LEAST_LIVE_SHARE = 2.0, 0.7
"""It is built anew when the space is so many times what its lists were made for, or so little of it is still there."""

TEXT = "text"
"""The full-text index, among those of the spaces."""


@dataclass(frozen=True, slots=True)
class RefreshProgress:
    """The index of a space, or TEXT, is being renewed: how much of that is done, from 0 to 1; at 1 it is in use."""

    index: str
    share: float


@dataclass(frozen=True, slots=True)
class RefreshFailed:
    """The index of a space, or TEXT, could not be renewed; what was there stays. `reason` is a line."""

    index: str
    reason: str


IndexRefresh = RefreshProgress | RefreshFailed


def refresh_indexes(folder: Path, snapshot: Snapshot) -> Iterator[IndexRefresh]:
    """Build, extend or drop the indexes of a library, whichever its spaces need. For the one that holds the lock."""
    with nullcontext() if snapshot.milvus is None else in_passing(snapshot.milvus):
        away = _away(snapshot)
        for space in snapshot.searched:
            if away is None:
                yield from _told(folder, space.name.value, _renew(folder, snapshot, space))
            elif snapshot.vectors[space.name].layout().rows:
                yield RefreshFailed(space.name.value, away)
    yield from _told(folder, TEXT, _renew_text(folder, snapshot))


def _away(snapshot: Snapshot) -> str | None:
    """Why the Milvus that is to search the vectors cannot be asked: this is waited for once, not for each space."""
    try:
        if snapshot.milvus is not None:
            reach(snapshot.milvus)
    except VectorServerError as error:
        return str(error)
    return None


def _told(folder: Path, index: str, shares: Iterator[float]) -> Iterator[IndexRefresh]:
    try:
        with disk_errors(folder):
            for share in shares:
                yield RefreshProgress(index, share)
    except LibraryError as error:
        yield RefreshFailed(index, str(error))
    except MemoryError:
        yield RefreshFailed(index, "not enough memory")


def _renew_text(folder: Path, snapshot: Snapshot) -> Iterator[float]:
    refresh_text(folder, snapshot.library_id)
    yield from ()  # it takes a second at most


def _renew(folder: Path, snapshot: Snapshot, space: Space) -> Iterator[float]:
    layout = snapshot.vectors[space.name].layout()
    if snapshot.milvus is not None:
        held = SpaceOnMilvus(folder, snapshot.library_id, space, snapshot.milvus)
        yield from bring_up(held, _map(folder, snapshot, space), large=is_large(space, layout))
    if snapshot.milvus is not None or not is_large(space, layout):
        if (unneeded := cache_path(folder, space.name)).exists():
            unneeded.unlink()
        return
    cache = read_cache(folder, snapshot.library_id, space)
    new = uncovered(layout, None if cache is None else cache.layout)
    new_rows = int(layout.counts[new].sum())
    if cache is None or _is_outgrown(cache, layout, layout.rows - new_rows):
        building = build(_map(folder, snapshot, space))
    elif new_rows > max(LEAST_NEW_ROWS, NEW_SHARE * cache.layout.rows):
        building = extend(cache.index(), _map(folder, snapshot, space), new)
    else:
        return
    covering = yield from building
    write_cache(folder, snapshot.library_id, space, covering)
    yield 1.0


def _map(folder: Path, snapshot: Snapshot, space: Space) -> Rows:
    try:
        return map_rows(folder, snapshot, space)
    except FileNotFoundError as error:
        raise shard_damaged(error.filename, "is gone") from error


def _is_outgrown(cache: CacheFile, layout: RowRanges, live_rows: int) -> bool:
    return layout.rows > GROWTH * cache.trained_rows or live_rows < LEAST_LIVE_SHARE * cache.layout.rows
