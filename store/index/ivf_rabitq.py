"""The compressed index of a large space, with FAISS: RaBitQ codes in inverted lists, then exact rescoring.

RaBitQ keeps a few bits per dimension of the difference between a vector and the centroid of its list, after a random
rotation (Gao and Long, SIGMOD 2024; Gao et al., SIGMOD 2025). The index returns a shortlist; the vectors in the shards
give the score of each hit. The constants were measured with `benchmarks.vectors`, where queries come from another cone
than the vectors.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import ceil, isqrt, sqrt

import faiss
import numpy as np

from pesearch.errors import LibraryDamaged
from pesearch.store.index.flat import SCAN_ROWS, Nearest, id_selector, rescore, scan
from pesearch.store.index.mapped_rows import MappedRows
from pesearch.store.shards.row_ranges import RowIds, RowMask, RowRanges
from pesearch.types import FloatArray

NLIST_PER_SQRT_ROWS = 2
"""Lists (`nlist`) per square root of the number of rows. With half as many, a search has to probe twice the share."""

NPROBE_SHARE = 1 / 12
"""Share of the lists that a search probes (`nprobe` / `nlist`): 1/16 has a recall@10 of 0.99; 1/8 takes 1.5 times as
long."""

MIN_SHORTLIST = 500
"""Minimum number of rows that are rescored for a query."""

K_FACTOR = 5
"""Rows that are rescored per hit requested, as in FAISS's `IndexRefine.k_factor`."""

MAX_EXACT_ROWS = 12_000
"""When a filter leaves at most this many rows, they are read from the shards and searched exactly. Among a million rows
of 1024 dimensions that is faster than the index for 10,000 selected rows, however they are spread over its lists, and
slower for 17,000."""

RABITQ_BITS = 2
"""Bits per dimension. With 1 the index is twice as fast and half as large, but needs a shortlist four times as long
where many rows match a little."""

SCAN_BLOCK_ROWS = 32
"""Rows per block of FAISS's fast scan (`bbs`); 32 is its default."""

POINTS_PER_CENTROID = 40
"""Rows that k-means is trained on per list: about the minimum that FAISS recommends (39)."""

KMEANS_ITERATIONS = 8
"""Iterations of k-means; FAISS's default for IVF is 10."""


@dataclass(frozen=True, slots=True, eq=False)
class IvfRabitqIndex:
    """An index over the rows of `layout`, numbered as there. Its lists were trained for a space of `trained_rows`."""

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
        files = (places >= 0) & selected[places]
        shortlist = self._shortlist(queries, k, files)
        at = self.layout.at(shortlist)
        row_ids = rows.layout.starts[places[at]] + shortlist - self.layout.starts[at]
        return rescore(rows, np.where(shortlist >= 0, row_ids, -1), queries, k)

    def _shortlist(self, queries: FloatArray, k: int, files: RowMask) -> RowIds:
        """Row ids of this index [q, n] in the `files` [files of this index], padded with -1.

        All lists are probed when the first search finds fewer than k rows for a query.
        """
        selected_rows = int(self.layout.counts[files].sum())
        length = min(max(MIN_SHORTLIST, K_FACTOR * k), selected_rows)
        selector = None if files.all() else id_selector(self.layout.mark(files))
        nlist = faiss.extract_index_ivf(self.index).nlist
        share = nprobe_share(length, selected_rows, self.layout.rows)
        found = self._search_lists(queries, length, selector, ceil(share * nlist))
        if (found[:, k - 1] < 0).any():
            found = self._search_lists(queries, length, selector, nlist)
        return found

    def _search_lists(self, queries: FloatArray, length: int, selector: faiss.IDSelector | None, nprobe: int) -> RowIds:
        # FAISS's type stubs list the C++ constructors only, not those that its Python layer adds.
        ivf_parameters = faiss.IVFRaBitQSearchParameters(sel=selector, nprobe=nprobe)  # type: ignore[call-arg]  # no stub
        parameters = faiss.SearchParametersPreTransform(index_params=ivf_parameters)  # type: ignore[call-arg]  # no stub
        return self.index.search(queries, length, params=parameters)[1]


def nprobe_share(length: int, selected_rows: int, rows: int) -> float:
    """The share of the lists to probe for a shortlist of `length`, when `selected_rows` of all `rows` pass the filter.

    Fewer selected rows are spread over more lists, but not evenly: hence the square root of their share.
    """
    return min(max(NPROBE_SHARE / sqrt(selected_rows / rows), 2 * length / selected_rows), 1.0)


IndexBuild = Generator[float, None, IvfRabitqIndex]
"""Yields the share of the work done before each step, and returns the index. It can be abandoned at any step."""


def build(rows: MappedRows) -> IndexBuild:
    """An index of all rows of a space. Raises LibraryDamaged when a vector is not finite."""
    dim, count = rows.space.dim, rows.layout.rows
    nlist = min(NLIST_PER_SQRT_ROWS * isqrt(count), count)
    sample_rows = min(count, nlist * POINTS_PER_CENTROID)
    rotation = faiss.HadamardRotation(dim)
    ivf = faiss.IndexIVFRaBitQFastScan(
        faiss.IndexFlatIP(rotation.d_out),
        rotation.d_out,
        nlist,
        faiss.METRIC_INNER_PRODUCT,
        SCAN_BLOCK_ROWS,
        True,
        RABITQ_BITS,
    )
    ivf.cp.min_points_per_centroid, ivf.cp.max_points_per_centroid = 1, POINTS_PER_CENTROID
    sample = rotation.apply(_read_finite(rows, np.linspace(0, count - 1, sample_rows, dtype=np.int64)))
    # Nearly all of the work is the comparison of rows with the centroids of all lists.
    training = KMEANS_ITERATIONS * sample_rows
    for share in _train_centroids(ivf, sample):
        yield share * training / (training + count)
    ivf.train(sample)
    nothing = np.empty(0, dtype=np.int64)
    empty = IvfRabitqIndex(RowRanges.of(nothing, nothing), count, faiss.IndexPreTransform(rotation, ivf))
    return (yield from _extend(empty, rows, np.ones(len(rows.layout.counts), bool), training))


def extend(index: IvfRabitqIndex, rows: MappedRows, files: RowMask) -> IndexBuild:
    """The index with more `files` [files of the space]. It consumes the index given. Errors as in `build`."""
    return _extend(index, rows, files, 0)


def _extend(index: IvfRabitqIndex, rows: MappedRows, files: RowMask, done: int) -> IndexBuild:
    """`done`: the work before this, counted in rows."""
    row_ids = np.flatnonzero(rows.layout.mark(files))
    for start in range(0, len(row_ids), SCAN_ROWS):
        yield (done + start) / (done + len(row_ids))
        index.index.add(_read_finite(rows, row_ids[start : start + SCAN_ROWS]))
    layout = RowRanges.of(
        np.concatenate([index.layout.file_ids, rows.layout.file_ids[files]]),
        np.concatenate([index.layout.counts, rows.layout.counts[files]]),
    )
    return IvfRabitqIndex(layout, index.trained_rows, index.index)


def _train_centroids(ivf: faiss.IndexIVF, sample: FloatArray) -> Iterator[float]:
    """K-means with the settings of the index, an iteration at a time; yields the share done."""
    clustering = faiss.Clustering(ivf.d, ivf.nlist, ivf.cp)
    clustering.niter = 1
    for iteration in range(KMEANS_ITERATIONS):
        yield iteration / KMEANS_ITERATIONS
        clustering.train(sample, ivf.quantizer)  # starts from the centroids of the iteration before


def _read_finite(rows: MappedRows, row_ids: RowIds) -> FloatArray:
    """The vectors of some rows, float32 [n, dim]."""
    values = rows.vectors(row_ids).astype(np.float32)
    if not np.isfinite(values).all():
        raise LibraryDamaged(f"A shard of the space {rows.space.name} is damaged: run `pesearch doctor --repair`")
    return values
