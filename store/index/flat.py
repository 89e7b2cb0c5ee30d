"""Exact search, by FAISS: all rows of a space, or those that no index covers.

The index holds the float16 values of the shards as they are (`ScalarQuantizer` of type fp16 loses nothing of them) and
computes in float32: half the memory of a float32 index, and on a CPU about five times its speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import faiss
import numpy as np

from pesearch.store.index.mapped_rows import Rows
from pesearch.store.shards.row_ranges import RowIds, RowMask
from pesearch.types import FloatArray, HalfArray

SCAN_ROWS = 1 << 14
"""How many rows are read from the disk at a time: 32 MiB at 1024 numbers each."""

LISTED_TOGETHER = 8
"""So many queries at a time have one shortlist: it is read once, and few enough rows are compared in vain."""


class Nearest(NamedTuple):
    """The best rows for each query, best first: `scores` float32 [q, k] and `rows` int64 [q, k], -1 where none."""

    scores: FloatArray
    rows: RowIds


@dataclass(frozen=True, slots=True, eq=False)
class FlatIndex:
    """An index in memory of some rows, given by their numbers, in rising order."""

    numbers: RowIds
    index: faiss.Index

    def search(self, queries: FloatArray, k: int, chosen: RowMask | None) -> Nearest:
        """The k best of those rows that are `chosen` [all rows]."""
        parameters = None if chosen is None else _selection(chosen[self.numbers])
        return renumbered(Nearest(*self.index.search(queries, k, params=parameters)), self.numbers)


def open_flat(rows: Rows, numbers: RowIds) -> FlatIndex:
    """Read some rows into memory."""
    index = _index(rows.space.dim)
    for start in range(0, len(numbers), SCAN_ROWS):
        _add(index, rows.vectors(numbers[start : start + SCAN_ROWS]))
    return FlatIndex(numbers, index)


def scan(rows: Rows, numbers: RowIds, queries: FloatArray, k: int) -> Nearest:
    """The k best of some rows, read from the disk for this: they take no memory, but time."""
    parts = []
    for start in range(0, len(numbers), SCAN_ROWS):
        part = numbers[start : start + SCAN_ROWS]
        index = _index(rows.space.dim)
        _add(index, rows.vectors(part))
        parts.append(renumbered(Nearest(*index.search(queries, min(k, len(part)))), part))
    return best(parts, len(queries), k)


def rescored(rows: Rows, shortlist: RowIds, queries: FloatArray, k: int) -> Nearest:
    """The k best for each query by exact score, from a shortlist for each: rows [q, n], -1 where none."""
    found = []
    for at in range(0, len(queries), LISTED_TOGETHER):
        some = slice(at, at + LISTED_TOGETHER)
        listed = np.unique(shortlist[some])
        found.append(scan(rows, listed[listed >= 0], queries[some], k))
    return Nearest(np.concatenate([one.scores for one in found]), np.concatenate([one.rows for one in found]))


def best(parts: list[Nearest], queries: int, k: int) -> Nearest:
    """The k best of what was found in several places."""
    if len(parts) == 1 and parts[0].rows.shape[1] == k:
        return parts[0]
    heap = faiss.ResultHeap(queries, k, keep_max=True)
    for part in parts:
        heap.add_result(part.scores, part.rows)
    heap.finalize()
    return Nearest(heap.D, heap.I)


def renumbered(found: Nearest, numbers: RowIds) -> Nearest:
    """What an index found, by the numbers that its rows have in the space."""
    return Nearest(found.scores, np.where(found.rows >= 0, numbers[found.rows], -1))


# FAISS's type stubs know the C++ constructors only, not those that its Python layer puts in their place.
def bitmap(chosen: RowMask) -> faiss.IDSelectorBitmap:
    """FAISS's form of a choice of rows."""
    return faiss.IDSelectorBitmap(np.packbits(chosen, bitorder="little"))  # type: ignore[call-arg, arg-type]  # no stub


def _selection(chosen: RowMask) -> faiss.SearchParameters:
    return faiss.SearchParameters(sel=bitmap(chosen))  # type: ignore[call-arg]  # no stub of Python's


def _index(dim: int) -> faiss.IndexScalarQuantizer:
    return faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)


def _add(index: faiss.IndexScalarQuantizer, vectors: HalfArray) -> None:
    index.add_sa_codes(vectors.view(np.uint8))
