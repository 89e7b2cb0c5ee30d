"""Exact search with FAISS over all rows of a space, or over the rows that no ANN index covers.

The index stores the float16 values of the shards unchanged (`ScalarQuantizer` of type fp16 is lossless for them) and
computes in float32: half the memory of a float32 flat index and, on a CPU, about five times its speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pesearch.store.index.mapped_rows import MappedRows
from pesearch.store.shards.row_ranges import RowIds, RowMask
from pesearch.types import FloatArray, HalfArray

if TYPE_CHECKING:
    import faiss

SCAN_ROWS = 1 << 14
"""Rows read from disk per step: 32 MiB at 1024 dimensions."""

RESCORE_QUERIES = 8
"""Queries that are rescored together, over the union of their shortlists: each row is read once, and few rows are
compared with a query that did not list them."""


class Nearest(NamedTuple):
    """The top k of each query, best first: `scores` float32 [q, k] and `rows` int64 [q, k], padded with -1."""

    scores: FloatArray
    rows: RowIds


@dataclass(frozen=True, slots=True, eq=False)
class FlatIndex:
    """A flat index in memory over the rows `row_ids` of a space, in rising order."""

    row_ids: RowIds
    index: faiss.Index

    def search(self, queries: FloatArray, k: int, selected: RowMask | None) -> Nearest:
        """The top k among the rows of this index that are `selected` [rows of the space]; None selects all."""
        parameters = None if selected is None else _search_parameters(selected[self.row_ids])
        return with_row_ids(Nearest(*self.index.search(queries, k, params=parameters)), self.row_ids)


def open_flat(rows: MappedRows, row_ids: RowIds) -> FlatIndex:
    """Read the rows `row_ids` into a flat index in memory."""
    index = _empty_index(rows.space.dim)
    for start in range(0, len(row_ids), SCAN_ROWS):
        _add(index, rows.vectors(row_ids[start : start + SCAN_ROWS]))
    return FlatIndex(row_ids, index)


def scan(rows: MappedRows, row_ids: RowIds, queries: FloatArray, k: int) -> Nearest:
    """The top k among the rows `row_ids`, read from disk SCAN_ROWS at a time: slow, but with little memory."""
    parts = []
    for start in range(0, len(row_ids), SCAN_ROWS):
        part = row_ids[start : start + SCAN_ROWS]
        index = _empty_index(rows.space.dim)
        _add(index, rows.vectors(part))
        parts.append(with_row_ids(Nearest(*index.search(queries, min(k, len(part)))), part))
    return merge_nearest(parts, len(queries), k)


def rescore(rows: MappedRows, shortlist: RowIds, queries: FloatArray, k: int) -> Nearest:
    """The top k of each query by exact score among its `shortlist`: row ids [q, n], padded with -1."""
    found = []
    for start in range(0, len(queries), RESCORE_QUERIES):
        batch = slice(start, start + RESCORE_QUERIES)
        row_ids = np.unique(shortlist[batch])
        found.append(scan(rows, row_ids[row_ids >= 0], queries[batch], k))
    return Nearest(np.concatenate([part.scores for part in found]), np.concatenate([part.rows for part in found]))


def merge_nearest(parts: list[Nearest], query_count: int, k: int) -> Nearest:
    """The top k of each query over several results for the same queries."""
    if len(parts) == 1 and parts[0].rows.shape[1] == k:
        return parts[0]
    import faiss

    heap = faiss.ResultHeap(query_count, k, keep_max=True)
    for part in parts:
        heap.add_result(part.scores, part.rows)
    heap.finalize()
    return Nearest(heap.D, heap.I)


def with_row_ids(found: Nearest, row_ids: RowIds) -> Nearest:
    """Replace the ordinals of an index by the row ids of the space."""
    return Nearest(found.scores, np.where(found.rows >= 0, row_ids[found.rows], -1))


# FAISS's type stubs list the C++ constructors only, not those that its Python layer adds.
def id_selector(selected: RowMask) -> faiss.IDSelectorBitmap:
    """A mask as a FAISS selector."""
    import faiss

    return faiss.IDSelectorBitmap(np.packbits(selected, bitorder="little"))  # type: ignore[call-arg, arg-type]  # no stub


def _search_parameters(selected: RowMask) -> faiss.SearchParameters:
    import faiss

    return faiss.SearchParameters(sel=id_selector(selected))  # type: ignore[call-arg]  # no stub of Python's


def _empty_index(dim: int) -> faiss.IndexScalarQuantizer:
    import faiss

    return faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)


def _add(index: faiss.IndexScalarQuantizer, vectors: HalfArray) -> None:
    index.add_sa_codes(vectors.view(np.uint8))
