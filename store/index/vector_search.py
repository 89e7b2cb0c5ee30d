"""Vector search in one space: selects the index for each row, searches, and returns hits.

A space of at most MAX_FLAT_BYTES (cues: MAX_FLAT_CUE_BYTES) is searched exactly, in memory. In a larger one a
compressed index makes a shortlist, and the hits are scored exactly. In a library on Milvus the collections make the
shortlists, of small spaces too. Files that the ANN index does not cover, because they were committed later or because
there is no index yet, are searched exactly in addition: in memory as long as they fit, else from the shards.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from pesearch.search_hits import Hits
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.index.compressed_file import read_compressed
from pesearch.store.index.flat import FlatIndex, Nearest, merge_nearest, open_flat, scan
from pesearch.store.index.mapped_rows import MappedRows
from pesearch.store.index.milvus.manifest import SpaceOnMilvus
from pesearch.store.index.milvus.named_addresses import is_named
from pesearch.store.shards.row_ranges import RowMask, RowRanges
from pesearch.types import MEDIA_SPACES, FloatArray, Space, SpaceName

MAX_FLAT_BYTES = 24 << 20
"""Maximum size of the vectors that a space holds in memory: 12,288 rows of 1024 dimensions. Twice as many take more
work than the compressed index (`benchmarks.flat_limit`), which then finds 0.97 of the 100 best."""

MAX_FLAT_CUE_BYTES = 128 << 20
"""The same for the vectors of cues. A query retrieves thousands: a compressed index would rescore most rows."""


class AnnIndex(Protocol):
    """An approximate index over the files of `layout`. It numbers rows as that layout does."""

    @property
    def layout(self) -> RowRanges:
        """The files that it covers."""

    def search(self, rows: MappedRows, queries: FloatArray, k: int, selected: RowMask) -> Nearest:
        """The top k among the `selected` files [files of the space] that this index covers, with exact scores.

        k is at most the number of their rows.
        """


@dataclass(frozen=True, slots=True)
class SearchPolicy:
    """How a space is searched: its rows by the kind of index that searches them.

    `milvus_rows` are searched by Milvus; `milvus` is its address and kind of index. `unused` is the address of a Milvus
    that the user has not named.
    """

    compressed_rows: int
    memory_rows: int
    disk_rows: int
    milvus_rows: int = 0
    milvus: str = ""
    unused: str = ""

    @property
    def lacks_index(self) -> bool:
        """Whether searches are slow until the next writer builds or extends a compressed index."""
        return self.disk_rows > 0

    def __str__(self) -> str:
        """One line for `pesearch status`."""
        counts = (
            (self.milvus_rows, f"on {self.milvus}, then exact"),
            (self.compressed_rows, "compressed, then exact"),
            (self.memory_rows, "exact in memory"),
            (
                self.disk_rows,
                f"exact from disk, slow{'' if self.unused else ': `pesearch gc` builds the missing index'}",
            ),
        )
        unused = [f"not on {self.unused}: `pesearch index --vectors {self.unused}` allows it"] if self.unused else []
        return "; ".join([*(f"{rows} {how}" for rows, how in counts if rows), *unused]) or "nothing to search"


@dataclass(frozen=True, slots=True, eq=False)
class VectorIndex:
    """The indexes over one space at one generation.

    `uncovered` [files] are the files that `ann` does not cover; `flat` is their index in memory, None when there are no
    rows or too many.
    """

    rows: MappedRows
    ann: AnnIndex | None
    uncovered: RowMask
    flat: FlatIndex | None

    def search(self, queries: FloatArray, k: int, file_ids: frozenset[int] | None = None) -> list[Hits]:
        """The k rows with the highest dot product for each query, best first; only in `file_ids` when given."""
        return self._hits(self.nearest(queries, k, file_ids))

    def nearest(self, queries: FloatArray, k: int, file_ids: frozenset[int] | None = None) -> Nearest:
        """As `search`, as row ids. Raises ValueError when the queries [q, dim] have another dimension."""
        space, layout = self.rows.space, self.rows.layout
        if queries.ndim != 2 or queries.shape[1] != space.dim:
            raise ValueError(f"queries {queries.shape} do not fit the space {space.name} of {space.dim}")
        selected = np.ones(len(layout.file_ids), dtype=np.bool_)
        if file_ids is not None:
            selected = np.isin(layout.file_ids, np.fromiter(file_ids, dtype=np.int64, count=len(file_ids)))
        k = min(k, int(layout.counts[selected].sum()))
        if k < 1 or not len(queries):
            return Nearest(np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64))
        return self._nearest(np.ascontiguousarray(queries, dtype=np.float32), k, selected)

    def _nearest(self, queries: FloatArray, k: int, selected: RowMask) -> Nearest:
        layout = self.rows.layout
        if self.ann is None:
            return self._search_uncovered(queries, k, selected)
        found = []
        uncovered, covered = selected & self.uncovered, selected & ~self.uncovered
        if covered.any():
            covered_rows = int(layout.counts[covered].sum())
            found.append(self.ann.search(self.rows, queries, min(k, covered_rows), covered))
        if uncovered.any():
            found.append(self._search_uncovered(queries, k, uncovered))
        return merge_nearest(found, len(queries), k)

    def _search_uncovered(self, queries: FloatArray, k: int, selected: RowMask) -> Nearest:
        """Exact search: in memory when all `selected` files are there, else from the shards."""
        layout = self.rows.layout
        if self.flat is None or (selected & ~self.uncovered).any():
            return scan(self.rows, np.flatnonzero(layout.mark(selected)), queries, k)
        return self.flat.search(queries, k, None if (selected == self.uncovered).all() else layout.mark(selected))

    def _hits(self, nearest: Nearest) -> list[Hits]:
        found = nearest.rows >= 0  # FAISS pads with -1 where fewer than k rows pass the filter
        rows, space = nearest.rows[found], self.rows.space.name
        file_ids, segments = self.rows.layout.file_ids[self.rows.layout.at(rows)], self.rows.segments(rows)
        scores, stops = nearest.scores[found], np.cumsum(found.sum(axis=1)).tolist()
        return [
            Hits(space, file_ids[start:stop], segments[start:stop], scores[start:stop])
            for start, stop in zip([0, *stops], stops, strict=False)
        ]


def faiss_version() -> str:
    """The version of FAISS that is installed."""
    import faiss

    return str(faiss.__version__)


@cache
def search_threads() -> ThreadPoolExecutor:
    """The pool in which all searches of this process share the cores; otherwise FAISS would use all cores for each.

    It is kept: starting threads takes a third of the time of a search.
    """
    import faiss

    cores = os.cpu_count() or 1
    threads = min(len(MEDIA_SPACES), cores)
    return ThreadPoolExecutor(threads, "pesearch-spaces", faiss.omp_set_num_threads, (cores // threads,))


os.register_at_fork(after_in_child=search_threads.cache_clear)  # the threads stay in the parent


def is_large(space: Space, layout: RowRanges) -> bool:
    """Whether a space is too large for exact search in memory, so that it gets a compressed index."""
    return not _fits_in_memory(space, layout.rows)


def open_index(rows: MappedRows, ann: AnnIndex | None) -> VectorIndex:
    """Open all indexes over a space: the ANN index given, and a flat index over the files that it does not cover."""
    uncovered = uncovered_files(rows.layout, None if ann is None else ann.layout)
    row_ids = np.flatnonzero(rows.layout.mark(uncovered))
    flat = open_flat(rows, row_ids) if len(row_ids) and _fits_in_memory(rows.space, len(row_ids)) else None
    return VectorIndex(rows, ann, uncovered, flat)


def search_policy(folder: Path, snapshot: Snapshot, space: Space) -> SearchPolicy:
    """How a reader that opens the library now would search a space."""
    layout = snapshot.vectors[space.name].layout()
    if snapshot.milvus is not None and not is_named(snapshot.milvus):
        in_memory = layout.rows if _fits_in_memory(space, layout.rows) else 0
        return SearchPolicy(0, in_memory, layout.rows - in_memory, unused=str(snapshot.milvus))
    if snapshot.milvus is not None:
        manifest = SpaceOnMilvus(folder, snapshot.library_id, space, snapshot.milvus).read_manifest()
        uncovered = _uncovered_rows(layout, None if manifest is None else manifest.layout)
        in_memory = uncovered if _fits_in_memory(space, uncovered) else 0
        how = str(snapshot.milvus) if manifest is None else f"{snapshot.milvus} ({manifest.kind})"
        return SearchPolicy(0, in_memory, uncovered - in_memory, layout.rows - uncovered, how)
    compressed_file = read_compressed(folder, snapshot.library_id, space) if is_large(space, layout) else None
    uncovered = _uncovered_rows(layout, None if compressed_file is None else compressed_file.layout)
    in_memory = uncovered if _fits_in_memory(space, uncovered) else 0
    return SearchPolicy(layout.rows - uncovered, in_memory, uncovered - in_memory)


def uncovered_files(layout: RowRanges, covered: RowRanges | None) -> RowMask:
    """The files [files] of a space that are not in `covered`, the layout of an index."""
    uncovered = np.ones(len(layout.file_ids), dtype=np.bool_)
    if covered is not None:
        places = layout.find(covered)
        uncovered[places[places >= 0]] = False
    return uncovered


def _uncovered_rows(layout: RowRanges, covered: RowRanges | None) -> int:
    return int(layout.counts[uncovered_files(layout, covered)].sum())


def _fits_in_memory(space: Space, rows: int) -> bool:
    return rows * space.dim * 2 <= (MAX_FLAT_CUE_BYTES if space.name is SpaceName.CUE else MAX_FLAT_BYTES)
