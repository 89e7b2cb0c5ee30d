"""The compressed index of a large space, with FAISS: all rows by product quantization, then exact rescoring.

Pairs of dimensions are replaced by the nearest of 16 centroids (Jegou et al. 2011), 2 bits per dimension, and scored by
tables that fit in registers (Andre et al. 2015, FAISS's fast scan). The index returns a shortlist; the vectors in the
shards give the score of each hit. No part of the space is left out: inverted lists of which a query probes a few are
quicker from millions of rows on, but texts come from another cone than pictures and sounds, and real matches stand
little above chance, so that they are in any list. The constants were measured with `benchmarks.vectors` and
`benchmarks.recall`, with matches as weak as those of published models.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from pesearch.errors import LibraryDamaged
from pesearch.store.index.flat import SCAN_ROWS, Nearest, id_selector, rescore, scan
from pesearch.store.index.mapped_rows import MappedRows
from pesearch.store.shards.row_ranges import RowIds, RowMask, RowRanges
from pesearch.types import FloatArray

if TYPE_CHECKING:
    import faiss

LISTS = 16
"""The rows are spread over this many lists (`nlist`), all of which are searched: threads share a query by lists."""

MIN_SHARE_ROWS = 1 << 15
"""Minimum number of rows that a thread scans, which takes about 1 ms; to hand a scan to a thread takes 0.1 ms."""

CODE_BITS = 4
"""Bits per code, that is 16 centroids: what FAISS's fast scan supports."""

DIMS_PER_CODE = 2
"""Dimensions per code. With 4 the index is half as large and takes 0.6 times as long; for the same recall it needs a
shortlist of four times the length."""

MIN_SHORTLIST = 500
"""Minimum number of rows that are rescored for a query."""

K_FACTOR = 5
"""Rows that are rescored per hit requested, as in FAISS's `IndexRefine.k_factor`."""

MAX_EXACT_ROWS = 12_000
"""When a filter leaves at most this many rows, they are read from the shards and searched exactly."""

SCAN_BLOCK_ROWS = 32
"""Rows per block of FAISS's fast scan (`bbs`); 32 is its default."""

TRAINING_ROWS = 1 << 14
"""Rows that the centroids are trained on, at most: about 1,000 for each."""

TRAINING_WORK_ROWS = 100_000
"""Training takes about as long as adding this many rows."""


@dataclass(frozen=True, slots=True, eq=False)
class CompressedIndex:
    """An index over the rows of `layout`, numbered as there. It was trained when its space had `trained_rows`."""

    layout: RowRanges
    trained_rows: int
    index: faiss.Index

    def search(self, rows: MappedRows, queries: FloatArray, k: int, selected: RowMask) -> Nearest:
        """The top k among the `selected` files [files of the space] that this index covers, with exact scores.

        k is at most the number of their rows.
        """
        if rows.layout.counts[selected].sum() <= MAX_EXACT_ROWS:
            return scan(rows, np.flatnonzero(rows.layout.mark(selected)), queries, k)
        places = rows.layout.find(self.layout)
        with _one_openmp_thread() as threads:
            shortlist = self._shortlist(queries, k, (places >= 0) & selected[places], threads)
            if ((shortlist >= 0).sum(axis=1) < k).any():  # a scan by tables leaves out rows with the lowest score
                return scan(rows, np.flatnonzero(rows.layout.mark(selected)), queries, k)
            at = self.layout.at(shortlist)
            row_ids = rows.layout.starts[places[at]] + shortlist - self.layout.starts[at]
            return rescore(rows, np.where(shortlist >= 0, row_ids, -1), queries, k)

    def _shortlist(self, queries: FloatArray, k: int, files: RowMask, threads: int) -> RowIds:
        """Row ids of this index [q, n] in the `files` [files of this index], padded with -1, in any order."""
        import faiss

        length = min(max(MIN_SHORTLIST, K_FACTOR * k), int(self.layout.counts[files].sum()))
        selector = None if files.all() else id_selector(self.layout.mark(files))

        def search(lists: RowMask) -> Nearest:
            # FAISS's type stubs list the C++ constructors only, not those that its Python layer adds.
            of_lists = faiss.SearchParameters(sel=id_selector(lists))  # type: ignore[call-arg]  # no stub
            parameters = faiss.SearchParametersIVF(  # type: ignore[call-arg]  # no stub
                sel=selector, nprobe=int(lists.sum()), quantizer_params=of_lists
            )
            return Nearest(*self.index.search(queries, length, params=parameters))

        shares = self._share_lists(threads)
        if len(shares) == 1:
            return search(shares[0]).rows
        return _largest(list(_scan_threads().map(search, shares)), length)

    def _share_lists(self, threads: int) -> list[RowMask]:
        """The lists [nlist] that each of at most `threads` threads searches: about as many rows as the others."""
        import faiss

        ivf = faiss.extract_index_ivf(self.index)
        assert ivf.invlists is not None  # None only in an index that is being read
        sizes = {number: ivf.invlists.list_size(number) for number in range(ivf.nlist)}
        shares = np.zeros((max(1, min(threads, ivf.nlist, ivf.ntotal // MIN_SHARE_ROWS)), ivf.nlist), np.bool_)
        rows = [0] * len(shares)
        for number in sorted(sizes, key=lambda number: -sizes[number]):  # the longest first
            least = rows.index(min(rows))
            shares[least, number] = True
            rows[least] += sizes[number]
        return list(shares)


@contextmanager
def _one_openmp_thread() -> Iterator[int]:
    """Keeps FAISS from using more than the calling thread; the number of threads that it would use.

    It shares out queries, not lists, so that one query is scanned by one thread. The others wait for the next query
    without sleeping: they take as much CPU time as the scan, and the cores from the threads that share it.
    """
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield threads
    finally:
        faiss.omp_set_num_threads(threads)


@cache
def _scan_threads() -> ThreadPoolExecutor:
    """The threads that share scans. They are kept: starting threads takes longer than handing work to them."""
    import faiss

    return ThreadPoolExecutor(os.cpu_count() or 1, "pesearch-scan", faiss.omp_set_num_threads, (1,))


os.register_at_fork(after_in_child=_scan_threads.cache_clear)  # the threads stay in the parent


def _largest(parts: Sequence[Nearest], count: int) -> RowIds:
    """The rows with the `count` highest scores of each query over several results, in any order."""
    scores = np.concatenate([part.scores for part in parts], axis=1)
    rows = np.concatenate([part.rows for part in parts], axis=1)
    return np.take_along_axis(rows, np.argpartition(-scores, count - 1, axis=1)[:, :count], axis=1)


IndexBuild = Generator[float, None, CompressedIndex]
"""Yields the share of the work done before each step, and returns the index. It can be abandoned at any step."""


def build(rows: MappedRows) -> IndexBuild:
    """An index of all rows of a space. Raises LibraryDamaged when a vector is not finite."""
    import faiss

    dim, count = rows.space.dim, rows.layout.rows
    codes = dim // DIMS_PER_CODE if dim % DIMS_PER_CODE == 0 else dim
    lists = min(LISTS, count)
    quantizer = faiss.IndexFlatIP(dim)
    ivf = faiss.IndexIVFPQFastScan(
        quantizer, dim, lists, codes, CODE_BITS, faiss.METRIC_INNER_PRODUCT, SCAN_BLOCK_ROWS, True
    )
    ivf.by_residual = False
    ivf.cp.min_points_per_centroid = ivf.pq.cp.min_points_per_centroid = 1
    sample = _read_finite(rows, np.linspace(0, count - 1, min(count, TRAINING_ROWS), dtype=np.int64))
    yield 0.0
    ivf.train(np.resize(sample, (max(len(sample), ivf.pq.ksub), dim)))
    nothing = np.empty(0, dtype=np.int64)
    empty = CompressedIndex(RowRanges.of(nothing, nothing), count, ivf)
    return (yield from _extend(empty, rows, np.ones(len(rows.layout.counts), bool), TRAINING_WORK_ROWS))


def extend(index: CompressedIndex, rows: MappedRows, files: RowMask) -> IndexBuild:
    """The index with more `files` [files of the space]. It consumes the index given. Errors as in `build`."""
    return _extend(index, rows, files, 0)


def _extend(index: CompressedIndex, rows: MappedRows, files: RowMask, done: int) -> IndexBuild:
    """`done`: the work before this, counted in rows."""
    row_ids = np.flatnonzero(rows.layout.mark(files))
    for start in range(0, len(row_ids), SCAN_ROWS):
        yield (done + start) / (done + len(row_ids))
        index.index.add(_read_finite(rows, row_ids[start : start + SCAN_ROWS]))
    layout = RowRanges.of(
        np.concatenate([index.layout.file_ids, rows.layout.file_ids[files]]),
        np.concatenate([index.layout.counts, rows.layout.counts[files]]),
    )
    return CompressedIndex(layout, index.trained_rows, index.index)


def _read_finite(rows: MappedRows, row_ids: RowIds) -> FloatArray:
    """The vectors of some rows, float32 [n, dim]."""
    values = rows.vectors(row_ids).astype(np.float32)
    if not np.isfinite(values).all():
        raise LibraryDamaged(f"A shard of the space {rows.space.name} is damaged: run `pesearch doctor --repair`")
    return values
