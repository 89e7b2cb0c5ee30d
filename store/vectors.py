"""Search over the vectors of one space: by which policy, and the hits.

A space of up to EXACT_BYTES is searched exactly, in memory. Beyond that a compressed index makes a shortlist, and the
score of each hit is still the exact one. What the index does not cover, because it was committed later or because
there is no index yet, is searched exactly beside it: in memory while it fits, else from the shards.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from pesearch.store.compressed import CompressedIndex
from pesearch.store.exact import ExactIndex, Nearest, best, open_exact, scan
from pesearch.store.index_cache import CacheFile, read_cache
from pesearch.store.layout import Layout, Marks
from pesearch.store.rows import Rows, layout_of, map_file, map_rows
from pesearch.store.snapshot import Snapshot
from pesearch.types import FloatArray, Hit, Space, SpaceVectors

EXACT_BYTES = 512 << 20
"""As much of a space may lie in memory: 262,144 rows of 1024 numbers, searched in about 40 ms by one core."""

SMALL_CHOICE = 8192
"""A choice of so few rows is read from the shards and searched exactly: no slower than an index, which would have to
look into all of its lists."""


@dataclass(frozen=True, slots=True)
class SearchPolicy:
    """How a space is searched: of its rows, how many by a compressed index, exactly in memory, or from the disk."""

    compressed_rows: int
    memory_rows: int
    disk_rows: int

    def __str__(self) -> str:
        """As people read it."""
        counts = (
            (self.compressed_rows, "compressed, then exact"),
            (self.memory_rows, "exact in memory"),
            (self.disk_rows, "exact from the disk until the next `pesearch index`"),
        )
        return "; ".join(f"{rows} {how}" for rows, how in counts if rows) or "nothing to search"


@dataclass(frozen=True, slots=True, eq=False)
class VectorIndex:
    """The vectors of one space at one generation. `others` are files [files] that `compressed` does not cover.

    `exact` is their index in memory; None when they are too many.
    """

    rows: Rows
    compressed: CompressedIndex | None
    others: Marks
    exact: ExactIndex | None

    def search(self, queries: FloatArray, k: int, file_ids: frozenset[int] | None = None) -> list[list[Hit]]:
        """The k rows with the highest dot product for each query, best first; only in `file_ids` when given."""
        space, layout = self.rows.space, self.rows.layout
        if queries.ndim != 2 or queries.shape[1] != space.dim:
            raise ValueError(f"queries {queries.shape} do not fit the space {space.name} of {space.dim}")
        chosen = np.ones(len(layout.file_ids), dtype=np.bool_)
        if file_ids is not None:
            chosen = np.isin(layout.file_ids, np.fromiter(file_ids, dtype=np.int64, count=len(file_ids)))
        k = min(k, int(layout.counts[chosen].sum()))
        if k < 1 or not len(queries):
            return [[] for _ in queries]
        nearest = self._nearest(np.ascontiguousarray(queries, dtype=np.float32), k, chosen)
        return [self._hits(*one) for one in zip(*nearest, strict=True)]

    def _nearest(self, queries: FloatArray, k: int, chosen: Marks) -> Nearest:
        layout = self.rows.layout
        if self.compressed is not None and layout.counts[chosen].sum() <= SMALL_CHOICE:
            return scan(self.rows, np.flatnonzero(layout.mark(chosen)), queries, k)
        found = []
        beside, covered = chosen & self.others, chosen & ~self.others
        if covered.any() and self.compressed is not None:
            rows = int(layout.counts[covered].sum())
            found.append(self.compressed.search(self.rows, queries, min(k, rows), covered))
        if self.exact is not None:
            found.append(self.exact.search(queries, k, None if beside.all() else layout.mark(beside)))
        elif beside.any():
            found.append(scan(self.rows, np.flatnonzero(layout.mark(beside)), queries, k))
        return best(found, len(queries), k)

    def _hits(self, scores: FloatArray, rows: np.ndarray) -> list[Hit]:
        found = rows >= 0  # FAISS fills up with -1 where fewer than k rows may be chosen
        scores, rows = scores[found], rows[found]
        file_ids = self.rows.layout.file_ids[self.rows.layout.at(rows)]
        places = zip(file_ids.tolist(), self.rows.segments(rows).tolist(), scores.tolist(), strict=True)
        return [
            Hit(file_id, self.rows.space.name, start, end, score, rank)
            for rank, (file_id, (start, end), score) in enumerate(places, start=1)
        ]


def faiss_version() -> str:
    """The version of FAISS on this machine."""
    return str(faiss.__version__)


def open_index(folder: Path, snapshot: Snapshot, space: Space) -> VectorIndex:
    """All vectors of a space, ready to be searched. `FileNotFoundError` when a shard was swept meanwhile."""
    rows = map_rows(folder, snapshot, space)
    cache = _cache(folder, snapshot, space, rows.layout)
    others = uncovered(rows.layout, cache)
    fits = fits_in_memory(space, rows.layout, others)
    exact = open_exact(rows, np.flatnonzero(rows.layout.mark(others))) if fits and others.any() else None
    return VectorIndex(rows, cache.index() if cache is not None else None, others, exact)


def search_policy(folder: Path, snapshot: Snapshot, space: Space) -> SearchPolicy:
    """How `open_index` would search a space."""
    layout = layout_of(snapshot.extents[space.name])
    others = uncovered(layout, _cache(folder, snapshot, space, layout))
    rest = int(layout.counts[others].sum())
    fits = fits_in_memory(space, layout, others)
    return SearchPolicy(layout.rows - rest, rest if fits else 0, 0 if fits else rest)


def uncovered(layout: Layout, cache: CacheFile | None) -> Marks:
    """The files [files] of a space that a cache does not cover."""
    others = np.ones(len(layout.file_ids), dtype=np.bool_)
    if cache is not None:
        places = layout.find(cache.layout)
        others[places[places >= 0]] = False
    return others


def fits_in_memory(space: Space, layout: Layout, files: Marks) -> bool:
    """Whether the vectors of these files are searched exactly in memory."""
    return int(layout.counts[files].sum()) * space.dim * 2 <= EXACT_BYTES


def read_vectors(folder: Path, snapshot: Snapshot, space: Space, file_id: int) -> SpaceVectors:
    """The vectors of one file in one space, float32, in the order in which they were committed."""
    rows = map_file(folder, snapshot, space, file_id)
    numbers = np.arange(rows.layout.rows)
    return SpaceVectors(space.name, rows.segments(numbers), rows.vectors(numbers).astype(np.float32))


def _cache(folder: Path, snapshot: Snapshot, space: Space, layout: Layout) -> CacheFile | None:
    everything = np.ones(len(layout.file_ids), dtype=np.bool_)
    return None if fits_in_memory(space, layout, everything) else read_cache(folder, snapshot.birth, space)
