"""Index maintenance for FAISS and Milvus, which a writer runs in pauses of its work and at its end.

A failure here loses nothing that was committed: a space without an index is searched exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import LibraryError, VectorServerError
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.disk.durable import disk_errors
from pesearch.store.index.compressed_file import CompressedFile, compressed_path, read_compressed, write_compressed
from pesearch.store.index.compressed_index import build, extend
from pesearch.store.index.fulltext_file import refresh_fulltext
from pesearch.store.index.mapped_rows import MappedRows, map_rows
from pesearch.store.index.milvus.client import closing_lite, server_version
from pesearch.store.index.milvus.manifest import SpaceOnMilvus
from pesearch.store.index.milvus.sync import sync_collection
from pesearch.store.index.vector_search import is_large, uncovered_files
from pesearch.store.shards.damage import DamageRegistry, RowsDamaged
from pesearch.store.shards.presence import shard_missing
from pesearch.store.shards.row_ranges import RowRanges
from pesearch.types import Space

MIN_UNCOVERED_ROWS = 16384
"""An index is extended when more rows than this, and than MIN_UNCOVERED_SHARE, are searched exactly in addition to it:
16,384 rows take about as long as the index itself."""

MIN_UNCOVERED_SHARE = 0.02
"""As MIN_UNCOVERED_ROWS, as a share of the rows of the index."""

MAX_GROWTH = 2.0
"""An index is rebuilt when its space has more than this many times the rows that its codes were trained for."""

MIN_LIVE_SHARE = 0.7
"""An index is rebuilt when less than this share of its rows is still in the library."""

FULL_TEXT = "text"
"""Name of the full-text index in reports; the others have the name of their space."""


@dataclass(frozen=True, slots=True)
class RefreshProgress:
    """An index is being refreshed: `share` of that is done, from 0 to 1; at 1 it is in use.

    `index` is the name of a space, or FULL_TEXT.
    """

    index: str
    share: float


@dataclass(frozen=True, slots=True)
class RefreshFailed:
    """An index could not be refreshed; the previous one stays. `reason` is one line."""

    index: str
    reason: str


IndexRefresh = RefreshProgress | RefreshFailed


def refresh_indexes(folder: Path, snapshot: Snapshot) -> Iterator[IndexRefresh]:
    """Build, extend or drop the indexes of a library as its spaces need. The caller holds the writer's lock."""
    with nullcontext() if snapshot.milvus is None else closing_lite(snapshot.milvus):
        unreachable = _unreachable_reason(snapshot)
        for space in snapshot.searched:
            if unreachable is None:
                yield from _report(folder, space.name.value, _refresh_space(folder, snapshot, space))
            elif snapshot.vectors[space.name].layout().rows:
                yield RefreshFailed(space.name.value, unreachable)
    yield from _report(folder, FULL_TEXT, _refresh_fulltext(folder, snapshot))


def _unreachable_reason(snapshot: Snapshot) -> str | None:
    """Why the Milvus of the library cannot be reached. Asked once, so that the timeout is not spent for each space."""
    try:
        if snapshot.milvus is not None:
            server_version(snapshot.milvus)
    except VectorServerError as error:
        return str(error)
    return None


def _report(folder: Path, index: str, shares: Iterator[float]) -> Iterator[IndexRefresh]:
    try:
        with disk_errors(folder):
            for share in shares:
                yield RefreshProgress(index, share)
    except LibraryError as error:
        yield RefreshFailed(index, str(error))
    except MemoryError:
        yield RefreshFailed(index, "not enough memory")


def _refresh_fulltext(folder: Path, snapshot: Snapshot) -> Iterator[float]:
    refresh_fulltext(folder, snapshot.library_id)
    yield from ()  # no progress: it takes a second at most


def _refresh_space(folder: Path, snapshot: Snapshot, space: Space) -> Iterator[float]:
    """Raises LibraryDamaged when rows are lost: the index would not fit the space once it is repaired."""
    damage = DamageRegistry(folder)
    while True:
        try:
            yield from _refresh_readable(folder, snapshot, space, damage)
        except RowsDamaged:  # `_map_rows` restores the row or raises the error
            continue
        return


def _refresh_readable(folder: Path, snapshot: Snapshot, space: Space, damage: DamageRegistry) -> Iterator[float]:
    layout = snapshot.vectors[space.name].layout()
    if snapshot.milvus is not None:
        on_milvus = SpaceOnMilvus(folder, snapshot.library_id, space, snapshot.milvus)
        yield from sync_collection(on_milvus, _map_rows(folder, damage, snapshot, space), large=is_large(space, layout))
    if snapshot.milvus is not None or not is_large(space, layout):
        if (unneeded := compressed_path(folder, space.name)).exists():
            unneeded.unlink()
        return
    compressed_file = read_compressed(folder, snapshot.library_id, space)
    uncovered = uncovered_files(layout, None if compressed_file is None else compressed_file.layout)
    uncovered_rows = int(layout.counts[uncovered].sum())
    if compressed_file is None or _needs_rebuild(compressed_file, layout, layout.rows - uncovered_rows):
        building = build(_map_rows(folder, damage, snapshot, space))
    elif uncovered_rows > max(MIN_UNCOVERED_ROWS, MIN_UNCOVERED_SHARE * compressed_file.layout.rows):
        building = extend(compressed_file.load(), _map_rows(folder, damage, snapshot, space), uncovered)
    else:
        return
    index = yield from building
    write_compressed(folder, snapshot.library_id, space, index)
    yield 1.0


def _map_rows(folder: Path, damage: DamageRegistry, snapshot: Snapshot, space: Space) -> MappedRows:
    try:
        rows = map_rows(damage, snapshot, space)
        for shard in snapshot.vectors[space.name].shards.values():
            if (found := damage.find(shard)) is not None and len(found.lost):
                raise found.error
        return rows
    except FileNotFoundError as error:
        raise shard_missing(folder, snapshot.shards, Path(error.filename)) from error


def _needs_rebuild(compressed_file: CompressedFile, layout: RowRanges, live_rows: int) -> bool:
    return (
        layout.rows > MAX_GROWTH * compressed_file.trained_rows
        or live_rows < MIN_LIVE_SHARE * compressed_file.layout.rows
    )
