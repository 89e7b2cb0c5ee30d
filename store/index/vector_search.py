"""Search over the vectors of one space: by which policy, and the hits.

A space of up to EXACT_BYTES is searched exactly, in memory. Beyond that a compressed index makes a shortlist, and the
score of each hit is still the exact one. A library on a Milvus has collections there that make the shortlists, of small
spaces too. What the index does not cover, because it was committed later or because there is no index yet, is searched
exactly beside it: in memory while it fits, else from the shards.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import faiss
import numpy as np

from pesearch.search_hits import Hits
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.index.flat import FlatIndex, Nearest, best, open_flat, scan
from pesearch.store.index.ivf_file import read_cache
from pesearch.store.index.mapped_rows import Rows
from pesearch.store.index.milvus.manifest import SpaceOnMilvus
from pesearch.store.shards.row_ranges import RowIds, RowMask, RowRanges
from pesearch.types import FloatArray, Part, SegmentArray, Space, SpaceVectors

EXACT_BYTES = 128 << 20
"""As much of a space may lie in memory: 65,536 rows of 1024 numbers, searched in about 10 ms by one core. That is as
long as the compressed index takes for a million."""


class AnnIndex(Protocol):
    """What searches most files of a space in little time: those of `layout`. It knows their rows as numbered there."""

    @property
    def layout(self) -> RowRanges:
        """The files that it covers."""

    def search(self, rows: Rows, queries: FloatArray, k: int, chosen: RowMask) -> Nearest:
        """The k best rows of those files that are `chosen` [files of the space] and covered; k at most their number.

        The scores are exact.
        """


@dataclass(frozen=True, slots=True)
class SearchPolicy:
    """How a space is searched: of its rows, how many by a compressed index, exactly in memory, or from the disk.

    `milvus_rows` are searched by a Milvus: `milvus` is its address, and how it searches them.
    """

    compressed_rows: int
    memory_rows: int
    disk_rows: int
    milvus_rows: int = 0
    milvus: str = ""

    @property
    def lacks_index(self) -> bool:
        """Whether the next writer will build a compressed index, or extend it, and searches are slow until then."""
        return self.disk_rows > 0

    def __str__(self) -> str:
        """As people read it."""
        counts = (
            (self.milvus_rows, f"on {self.milvus}, then exact"),
            (self.compressed_rows, "compressed, then exact"),
            (self.memory_rows, "exact in memory"),
            (self.disk_rows, "exact from the disk, slowly: `pesearch gc` builds the index that is missing"),
        )
        return "; ".join(f"{rows} {how}" for rows, how in counts if rows) or "nothing to search"


@dataclass(frozen=True, slots=True, eq=False)
class VectorIndex:
    """The vectors of one space at one generation. `others` are the files [files] that `covering` does not cover.

    `exact` is their index in memory; None when they are too many.
    """

    rows: Rows
    covering: AnnIndex | None
    others: RowMask
    exact: FlatIndex | None

    def search(self, queries: FloatArray, k: int, file_ids: frozenset[int] | None = None) -> list[Hits]:
        """The k rows with the highest dot product for each query, best first; only in `file_ids` when given."""
        return self._hits(self.nearest(queries, k, file_ids))

    def nearest(self, queries: FloatArray, k: int, file_ids: frozenset[int] | None = None) -> Nearest:
        """As `search`, by the numbers of the rows."""
        space, layout = self.rows.space, self.rows.layout
        if queries.ndim != 2 or queries.shape[1] != space.dim:
            raise ValueError(f"queries {queries.shape} do not fit the space {space.name} of {space.dim}")
        chosen = np.ones(len(layout.file_ids), dtype=np.bool_)
        if file_ids is not None:
            chosen = np.isin(layout.file_ids, np.fromiter(file_ids, dtype=np.int64, count=len(file_ids)))
        k = min(k, int(layout.counts[chosen].sum()))
        if k < 1 or not len(queries):
            return Nearest(np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64))
        return self._nearest(np.ascontiguousarray(queries, dtype=np.float32), k, chosen)

    def _nearest(self, queries: FloatArray, k: int, chosen: RowMask) -> Nearest:
        layout = self.rows.layout
        if self.covering is None:
            return self._exactly(queries, k, chosen)
        found = []
        beside, covered = chosen & self.others, chosen & ~self.others
        if covered.any():
            rows = int(layout.counts[covered].sum())
            found.append(self.covering.search(self.rows, queries, min(k, rows), covered))
        if beside.any():
            found.append(self._exactly(queries, k, beside))
        return best(found, len(queries), k)

    def _exactly(self, queries: FloatArray, k: int, chosen: RowMask) -> Nearest:
        """In memory when all that is chosen is there, else from the shards."""
        layout = self.rows.layout
        if self.exact is None or (chosen & ~self.others).any():
            return scan(self.rows, np.flatnonzero(layout.mark(chosen)), queries, k)
        return self.exact.search(queries, k, None if (chosen == self.others).all() else layout.mark(chosen))

    def _hits(self, nearest: Nearest) -> list[Hits]:
        found = nearest.rows >= 0  # FAISS fills up with -1 where fewer than k rows may be chosen
        rows, space = nearest.rows[found], self.rows.space.name
        file_ids, segments = self.rows.layout.file_ids[self.rows.layout.at(rows)], self.rows.segments(rows)
        scores, stops = nearest.scores[found], np.cumsum(found.sum(axis=1)).tolist()
        return [
            Hits(space, file_ids[start:stop], segments[start:stop], scores[start:stop])
            for start, stop in zip([0, *stops], stops, strict=False)
        ]


def faiss_version() -> str:
    """The version of FAISS on this machine."""
    return str(faiss.__version__)


def side_by_side(searches: int) -> ThreadPoolExecutor:
    """Threads for so many searches at once. They share the cores: FAISS takes all of them for each otherwise."""
    cores = max(1, (os.cpu_count() or 1) // max(searches, 1))
    return ThreadPoolExecutor(max(searches, 1), "pesearch-spaces", faiss.omp_set_num_threads, (cores,))


def is_large(space: Space, layout: RowRanges) -> bool:
    """Whether a space is to be searched by a compressed index, if there is one."""
    return not _fits(space, layout.rows)


def open_index(rows: Rows, covering: AnnIndex | None) -> VectorIndex:
    """All vectors of a space, ready to be searched."""
    others = uncovered(rows.layout, None if covering is None else covering.layout)
    numbers = np.flatnonzero(rows.layout.mark(others))
    exact = open_flat(rows, numbers) if len(numbers) and _fits(rows.space, len(numbers)) else None
    return VectorIndex(rows, covering, others, exact)


def search_policy(folder: Path, snapshot: Snapshot, space: Space) -> SearchPolicy:
    """How a reader that opens the library now searches a space."""
    layout = snapshot.vectors[space.name].layout()
    if snapshot.milvus is not None:
        cover = SpaceOnMilvus(folder, snapshot.library_id, space, snapshot.milvus).read()
        rest = _rest(layout, None if cover is None else cover.layout)
        in_memory = rest if _fits(space, rest) else 0
        how = str(snapshot.milvus) if cover is None else f"{snapshot.milvus} ({cover.kind})"
        return SearchPolicy(0, in_memory, rest - in_memory, layout.rows - rest, how)
    cache = read_cache(folder, snapshot.library_id, space) if is_large(space, layout) else None
    rest = _rest(layout, None if cache is None else cache.layout)
    in_memory = rest if _fits(space, rest) else 0
    return SearchPolicy(layout.rows - rest, in_memory, rest - in_memory)


def _rest(layout: RowRanges, covering: RowRanges | None) -> int:
    """How many rows an index does not cover."""
    return int(layout.counts[uncovered(layout, covering)].sum())


def uncovered(layout: RowRanges, covering: RowRanges | None) -> RowMask:
    """The files [files] of a space that an index, of the layout `covering`, does not cover."""
    others = np.ones(len(layout.file_ids), dtype=np.bool_)
    if covering is not None:
        places = layout.find(covering)
        others[places[places >= 0]] = False
    return others


@dataclass(frozen=True, slots=True, eq=False)
class PartVectors:
    """The vectors of several parts of files, one part after the other: those of `parts[i]` from row `starts[i]` on."""

    parts: Sequence[Part]
    starts: RowIds
    vectors: SpaceVectors

    @property
    def numbers(self) -> RowIds:
        """For each row the number of its part: int64 [n]."""
        return np.repeat(np.arange(len(self.starts)), np.diff(self.starts, append=len(self.vectors.vectors)))

    def each(self) -> Iterator[tuple[Part, slice]]:
        """Each part with its rows."""
        stops = [*self.starts[1:].tolist(), len(self.vectors.vectors)]
        for part, start, stop in zip(self.parts, self.starts.tolist(), stops, strict=True):
            yield part, slice(start, stop)


PARTS_ROWS = 1 << 14
"""Parts are read together up to so many rows: 64 MiB of 1024 numbers."""


def vectors_of_parts(rows: Rows, parts: Sequence[Part]) -> Iterator[PartVectors]:
    """The vectors of parts of files, those together that have no more than PARTS_ROWS rows; empty ones are left out."""
    held: list[tuple[Part, RowIds, SegmentArray]] = []
    for part in parts:
        numbers, segments = _rows_of_part(rows, part)
        if held and sum(len(one) for _, one, _ in held) + len(numbers) > PARTS_ROWS:
            yield _together(rows, held)
            held = []
        if len(numbers):
            held.append((part, numbers, segments))
    if held:
        yield _together(rows, held)


def _rows_of_part(rows: Rows, part: Part) -> tuple[RowIds, SegmentArray]:
    """The rows whose segments share time with a part, or begin where it begins, and these segments."""
    first, stop = rows.layout.range_of(part.file_id)
    if first == stop:
        return np.empty(0, np.int64), np.empty((0, 2))
    segments = rows.segments_between(first, stop)
    starts, ends = segments.T
    inside = np.flatnonzero((starts < part.end_seconds) & (ends > part.start_seconds) | (starts == part.start_seconds))
    return first + inside, segments[inside]


def _together(rows: Rows, held: Sequence[tuple[Part, RowIds, SegmentArray]]) -> PartVectors:
    parts, numbers, segments = zip(*held, strict=True)
    starts = np.cumsum([0, *map(len, numbers)])[:-1]
    vectors = rows.vectors(np.concatenate(numbers)).astype(np.float32)
    return PartVectors(parts, starts, SpaceVectors(rows.space.name, np.concatenate(segments), vectors))


def read_vectors(rows: Rows, file_id: int) -> SpaceVectors:
    """The vectors of one file among rows, float32, in the order in which they were committed."""
    numbers = rows.layout.rows_of(file_id)
    return SpaceVectors(rows.space.name, rows.segments(numbers), rows.vectors(numbers).astype(np.float32))


def _fits(space: Space, rows: int) -> bool:
    return rows * space.dim * 2 <= EXACT_BYTES
