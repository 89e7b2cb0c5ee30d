"""Bringing collections on a Milvus up to what is committed: what a writer does in its pauses, and last of all.

What a collection covers is written before and after each change of it. So a writer that is killed leaves some files of
which rows may be there; the next one takes those out and goes on. A collection that does not have as many rows as are
said to be in it, because it was dropped or is of another time, is filled anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pesearch.errors import VectorServerError
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.catalogue.vector_backend import MilvusAddress, parse_vectors
from pesearch.store.index.mapped_rows import Rows
from pesearch.store.index.milvus.client import in_passing, reach
from pesearch.store.index.milvus.collection import IndexKind
from pesearch.store.index.milvus.filters import row_ids
from pesearch.store.index.milvus.manifest import Manifest, SpaceOnMilvus
from pesearch.store.shards.row_ranges import RowIds, RowMask, RowRanges
from pesearch.types import SpaceName

BATCH_ROWS = 1 << 14
"""Rows of whole files that are added between two notes of what is covered: 64 MiB of 1024 numbers."""

_NONE = np.empty(0, dtype=np.int64)


def bring_up(held: SpaceOnMilvus, rows: Rows, *, large: bool) -> Iterator[float]:
    """Make a collection hold the rows of a space, and no others; says what share of that is done. Nothing when all is.

    A space that is `large` gets an index of lists, and keeps it.
    """
    cover = held.read()
    if cover is None and not rows.layout.rows:
        return
    kind = IndexKind.LISTS if large or (cover is not None and cover.kind is IndexKind.LISTS) else IndexKind.FLAT
    cover = _take_out(held, _checked(held, cover, kind), rows.layout)
    files = np.ones(len(rows.layout.file_ids), dtype=np.bool_)
    files[rows.layout.find(cover.layout)] = False
    if not files.any():
        return
    done, wanted = 0, int(rows.layout.counts[files].sum())
    for batch in _batches(rows.layout, files):
        yield done / max(wanted, 1)
        held.write(replace(cover, unsure=rows.layout.file_ids[batch]))
        added = _add(held, rows, batch)
        cover = Manifest(kind, _with(cover.layout, rows.layout, batch), _NONE)
        done += added
    held.collection.flush()
    held.write(cover)
    yield 1.0


def _checked(held: SpaceOnMilvus, cover: Manifest | None, kind: IndexKind) -> Manifest:
    """The cover of a collection that holds what it says, and nothing else: an empty one where it does not."""
    rows = held.collection.rows()
    if cover is not None and rows is not None and cover.kind is kind:
        if len(cover.unsure):
            held.collection.delete(cover.unsure.tolist())
            cover, rows = replace(cover, unsure=_NONE), held.collection.rows()
            held.write(cover)
        if rows == cover.layout.rows:
            return cover
    nothing = Manifest(kind, RowRanges.of(_NONE, _NONE), _NONE)
    held.write(nothing)
    held.collection.create(kind)
    return nothing


def _take_out(held: SpaceOnMilvus, cover: Manifest, layout: RowRanges) -> Manifest:
    """The cover without the files that the space does not have any more, or not so."""
    gone = layout.find(cover.layout) < 0
    if gone.any():
        left = RowRanges.of(cover.layout.file_ids[~gone], cover.layout.counts[~gone])
        leaving = Manifest(cover.kind, left, cover.layout.file_ids[gone])
        held.write(leaving)
        held.collection.delete(leaving.unsure.tolist())
        cover = replace(leaving, unsure=_NONE)
        held.write(cover)
    return cover


def _batches(layout: RowRanges, files: RowMask) -> Iterator[RowIds]:
    """The places of files, those together that have no more than BATCH_ROWS rows; a longer one is alone."""
    places = np.flatnonzero(files)
    ends = np.cumsum(layout.counts[places])
    start = 0
    while start < len(places):
        before = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + BATCH_ROWS, side="right")), start + 1)
        yield places[start:stop]
        start = stop


def _add(held: SpaceOnMilvus, rows: Rows, places: RowIds) -> int:
    """Add the rows of the files at these places; how many they are."""
    marks = np.zeros(len(rows.layout.file_ids), dtype=np.bool_)
    marks[places] = True
    numbers = np.flatnonzero(rows.layout.mark(marks))
    for start in range(0, len(numbers), BATCH_ROWS):
        some = numbers[start : start + BATCH_ROWS]
        at = rows.layout.at(some)
        file_ids = rows.layout.file_ids[at]
        ids = row_ids(file_ids, some - rows.layout.starts[at])
        held.collection.insert(ids, file_ids, rows.segments(some), rows.vectors(some))
    return len(numbers)


def _with(covered: RowRanges, layout: RowRanges, places: RowIds) -> RowRanges:
    """A layout with more files, in rising order."""
    file_ids = np.concatenate([covered.file_ids, layout.file_ids[places]])
    counts = np.concatenate([covered.counts, layout.counts[places]])
    order = np.argsort(file_ids)
    return RowRanges.of(file_ids[order], counts[order])


def reach_vectors(vectors: str) -> MilvusAddress | None:
    """Where `--vectors` says that vectors are searched, after a look whether that answers; None for FAISS, here.

    `VectorServerError` when it does not, or when nothing of that kind is meant.
    """
    address = parse_vectors(vectors)
    if address is not None:
        with in_passing(address):
            reach(address)
    return address


def on_milvus(folder: Path, snapshot: Snapshot) -> list[SpaceOnMilvus]:
    """The spaces of a library that a Milvus searches: all, or none."""
    if snapshot.milvus is None:
        return []
    return [SpaceOnMilvus(folder, snapshot.library_id, space, snapshot.milvus) for space in snapshot.searched]


def leave(folder: Path, snapshot: Snapshot) -> list[str]:
    """Drop what a library has on its Milvus, if it can be reached; the names of the collections that stay there."""
    if snapshot.milvus is None:
        return []
    there = [held for held in on_milvus(folder, snapshot) if held.path.exists()]
    staying = [held.collection.name for held in there]
    with in_passing(snapshot.milvus), suppress(VectorServerError):  # one that is away is waited for once
        for held in there:
            held.collection.drop()
            staying.remove(held.collection.name)
    for held in there:
        held.path.unlink()
    return staying


@dataclass(frozen=True, slots=True)
class MilvusState:
    """What a Milvus says of a library: its version, and for each space the rows that are there and that should be."""

    address: MilvusAddress
    version: str
    rows: dict[SpaceName, tuple[int, int]]

    @property
    def total_rows(self) -> int:
        """Rows on the Milvus, all spaces together."""
        return sum(present for present, _ in self.rows.values())

    @property
    def incomplete(self) -> dict[SpaceName, tuple[int, int]]:
        """The spaces with another number of rows than expected: (present, expected)."""
        return {space: counts for space, counts in self.rows.items() if counts[0] != counts[1]}


def milvus_state(folder: Path, snapshot: Snapshot) -> MilvusState | None:
    """None for a library that FAISS searches. `VectorServerError` when the Milvus cannot be asked."""
    if snapshot.milvus is None:
        return None
    rows = {}
    with in_passing(snapshot.milvus):
        version = reach(snapshot.milvus)
        for held in on_milvus(folder, snapshot):
            cover = held.read()
            if cover is not None:
                rows[held.space.name] = (held.collection.rows() or 0, cover.layout.rows)
    return MilvusState(snapshot.milvus, version, rows)
