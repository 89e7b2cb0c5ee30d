"""Synchronizes collections on Milvus with the library, in pauses of a writer and at its end.

The manifest is written before and after each change of a collection. So a writer that is killed leaves some files as
partial; the next one deletes their rows and continues. A collection whose number of rows differs from its manifest,
because it was dropped or restored from a backup, is filled again from scratch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pesearch.errors import VectorServerError
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.catalogue.vector_backend import MilvusAddress, parse_vectors
from pesearch.store.index.mapped_rows import MappedRows
from pesearch.store.index.milvus.client import closing_lite, server_version
from pesearch.store.index.milvus.collection import IndexKind
from pesearch.store.index.milvus.filters import primary_keys
from pesearch.store.index.milvus.manifest import Manifest, SpaceOnMilvus
from pesearch.store.index.milvus.named_addresses import remember
from pesearch.store.shards.row_ranges import RowIds, RowMask, RowRanges
from pesearch.types import SpaceName

SYNC_BATCH_ROWS = 1 << 14
"""Rows of whole files that are added between two writes of the manifest: 64 MiB in float32 at 1024 dimensions."""

_NONE = np.empty(0, dtype=np.int64)


def sync_collection(on_milvus: SpaceOnMilvus, rows: MappedRows, *, large: bool) -> Iterator[float]:
    """Make a collection hold exactly the rows of a space; yields the share done, nothing when there is nothing to add.

    The collection of a `large` space gets an IVF index, and keeps it when the space shrinks.
    """
    manifest = on_milvus.read_manifest()
    if manifest is None and not rows.layout.rows:
        return
    has_ivf = manifest is not None and manifest.kind is IndexKind.IVF
    kind = IndexKind.IVF if large or has_ivf else IndexKind.FLAT
    manifest = _delete_removed(on_milvus, _verify(on_milvus, manifest, kind), rows.layout)
    missing = np.ones(len(rows.layout.file_ids), dtype=np.bool_)
    missing[rows.layout.find(manifest.layout)] = False
    if not missing.any():
        return
    done, total = 0, int(rows.layout.counts[missing].sum())
    for batch in _batches(rows.layout, missing):
        yield done / max(total, 1)
        on_milvus.write_manifest(replace(manifest, partial=rows.layout.file_ids[batch]))
        added = _insert(on_milvus, rows, batch)
        manifest = Manifest(kind, _with_files(manifest.layout, rows.layout, batch), _NONE)
        done += added
    on_milvus.collection.flush()
    on_milvus.write_manifest(manifest)
    yield 1.0


def _verify(on_milvus: SpaceOnMilvus, manifest: Manifest | None, kind: IndexKind) -> Manifest:
    """The manifest without partial files, whose rows are deleted.

    A collection that does not match is dropped and created empty, with an empty manifest.
    """
    row_count = on_milvus.collection.count_rows()
    if manifest is not None and row_count is not None and manifest.kind is kind:
        if len(manifest.partial):
            on_milvus.collection.delete(manifest.partial.tolist())
            manifest, row_count = replace(manifest, partial=_NONE), on_milvus.collection.count_rows()
            on_milvus.write_manifest(manifest)
        if row_count == manifest.layout.rows:
            return manifest
    empty = Manifest(kind, RowRanges.of(_NONE, _NONE), _NONE)
    on_milvus.write_manifest(empty)
    on_milvus.collection.create(kind)
    return empty


def _delete_removed(on_milvus: SpaceOnMilvus, manifest: Manifest, layout: RowRanges) -> Manifest:
    """Delete the rows of files that the space does not have any more, or has with another number of rows."""
    removed = layout.find(manifest.layout) < 0
    if removed.any():
        kept = RowRanges.of(manifest.layout.file_ids[~removed], manifest.layout.counts[~removed])
        during = Manifest(manifest.kind, kept, manifest.layout.file_ids[removed])
        on_milvus.write_manifest(during)
        on_milvus.collection.delete(during.partial.tolist())
        manifest = replace(during, partial=_NONE)
        on_milvus.write_manifest(manifest)
    return manifest


def _batches(layout: RowRanges, files: RowMask) -> Iterator[RowIds]:
    """The indexes of `files` in batches of at most SYNC_BATCH_ROWS rows, or of one longer file."""
    places = np.flatnonzero(files)
    ends = np.cumsum(layout.counts[places])
    start = 0
    while start < len(places):
        before = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + SYNC_BATCH_ROWS, side="right")), start + 1)
        yield places[start:stop]
        start = stop


def _insert(on_milvus: SpaceOnMilvus, rows: MappedRows, places: RowIds) -> int:
    """Insert the rows of the files at these indexes of the layout; returns the number of rows."""
    files = np.zeros(len(rows.layout.file_ids), dtype=np.bool_)
    files[places] = True
    row_ids = np.flatnonzero(rows.layout.mark(files))
    for start in range(0, len(row_ids), SYNC_BATCH_ROWS):
        batch = row_ids[start : start + SYNC_BATCH_ROWS]
        at = rows.layout.at(batch)
        file_ids = rows.layout.file_ids[at]
        keys = primary_keys(file_ids, batch - rows.layout.starts[at])
        on_milvus.collection.insert(keys, file_ids, rows.segments(batch), rows.vectors(batch))
    return len(row_ids)


def _with_files(covered: RowRanges, layout: RowRanges, places: RowIds) -> RowRanges:
    """`covered` with the files at `places` of `layout`, in rising order."""
    file_ids = np.concatenate([covered.file_ids, layout.file_ids[places]])
    counts = np.concatenate([covered.counts, layout.counts[places]])
    order = np.argsort(file_ids)
    return RowRanges.of(file_ids[order], counts[order])


def resolve_vectors(vectors: str) -> MilvusAddress | None:
    """Parses `--vectors`, remembers the Milvus as named by the user, and checks that it can be reached; None for FAISS.

    Raises VectorServerError when it cannot, or when the option is malformed.
    """
    address = parse_vectors(vectors)
    if address is not None:
        remember(address)
        with closing_lite(address):
            server_version(address)
    return address


def spaces_on_milvus(folder: Path, snapshot: Snapshot) -> list[SpaceOnMilvus]:
    """The spaces of a library that Milvus searches: all or none."""
    if snapshot.milvus is None:
        return []
    return [SpaceOnMilvus(folder, snapshot.library_id, space, snapshot.milvus) for space in snapshot.searched]


def drop_collections(folder: Path, snapshot: Snapshot) -> list[str]:
    """Drop the collections of a library; returns the names of those that stay because Milvus cannot be reached."""
    if snapshot.milvus is None:
        return []
    spaces = [on_milvus for on_milvus in spaces_on_milvus(folder, snapshot) if on_milvus.path.exists()]
    remaining = [on_milvus.collection.name for on_milvus in spaces]
    with closing_lite(snapshot.milvus), suppress(VectorServerError):  # the timeout of a server is spent once
        for on_milvus in spaces:
            on_milvus.collection.drop()
            remaining.remove(on_milvus.collection.name)
    for on_milvus in spaces:
        on_milvus.path.unlink()
    return remaining


@dataclass(frozen=True, slots=True)
class MilvusState:
    """The version of a Milvus; `rows`: by space, the rows in the collection and the rows that should be there."""

    address: MilvusAddress
    version: str
    rows: Mapping[SpaceName, tuple[int, int]]

    @property
    def total_rows(self) -> int:
        """Rows on the Milvus, all spaces together."""
        return sum(present for present, _ in self.rows.values())

    @property
    def incomplete(self) -> dict[SpaceName, tuple[int, int]]:
        """The spaces with another number of rows than expected: (present, expected)."""
        return {space: counts for space, counts in self.rows.items() if counts[0] != counts[1]}


def milvus_state(folder: Path, snapshot: Snapshot) -> MilvusState | None:
    """None for a library that FAISS searches. Raises VectorServerError when Milvus cannot be reached."""
    if snapshot.milvus is None:
        return None
    rows = {}
    with closing_lite(snapshot.milvus):
        version = server_version(snapshot.milvus)
        for on_milvus in spaces_on_milvus(folder, snapshot):
            manifest = on_milvus.read_manifest()
            if manifest is not None:
                rows[on_milvus.space.name] = (on_milvus.collection.count_rows() or 0, manifest.layout.rows)
    return MilvusState(snapshot.milvus, version, rows)
