"""A compressed first stage over most rows of a space, by FAISS: RaBitQ in inverted lists, and exact scores after it.

RaBitQ keeps a few bits for each number of a vector's difference from the centre of its list, after a random rotation
(Gao and Long, SIGMOD 2024; Gao et al., SIGMOD 2025). What it finds is a shortlist; the vectors in the shards give the
score of each hit.
The numbers below come from `benchmarks.vectors`, where questions lie in another cone than the vectors.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import ceil, isqrt, sqrt

import faiss
import numpy as np

from pesearch.errors import LibraryDamaged
from pesearch.store.index.flat import SCAN_ROWS, Nearest, bitmap, rescored, scan
from pesearch.store.index.mapped_rows import Rows
from pesearch.store.shards.row_ranges import RowIds, RowMask, RowRanges
from pesearch.types import FloatArray

LISTS_A_ROOT = 2
"""So many lists for the square root of the number of rows. Half as many have to be looked into twice as deep."""

PROBED_SHARE = 1 / 12
"""The share of the lists that a search looks into: 1/16 finds 0.99 of the ten best, 1/8 costs half as much again."""

SHORTLIST, SHORTLIST_A_HIT = 500, 5
"""How many rows get an exact score: at least so many, and so many for each hit that is asked for."""

SMALL_CHOICE = 12_000
"""A choice of so few rows is read from the shards and searched exactly. Among a million rows of 1024 numbers the
index takes longer for 10,000 chosen ones, in whichever of its lists they are, and less for 17,000."""

BITS = 2
"""One bit is twice as fast and half as large, but needs four times the shortlist where many rows fit a little."""

BLOCK_ROWS = 32
"""How many rows FAISS scans at a time: its own choice."""

TRAINED_ROWS_A_LIST, TRAINING_ROUNDS = 40, 8
"""What k-means makes the centres from: about the least that FAISS advises for a list, in nearly its own ten rounds."""


@dataclass(frozen=True, slots=True, eq=False)
class IvfRabitqIndex:
    """What covers the rows of `layout`, numbered as there. The lists were made for `trained_rows` rows."""

    layout: RowRanges
    trained_rows: int
    index: faiss.Index

    def search(self, rows: Rows, queries: FloatArray, k: int, chosen: RowMask) -> Nearest:
        """The k best rows of those files that are `chosen` [files of the space] and covered; k at most their number."""
        if rows.layout.counts[chosen].sum() <= SMALL_CHOICE:
            return scan(rows, np.flatnonzero(rows.layout.mark(chosen)), queries, k)
        places = rows.layout.find(self.layout)
        files = (places >= 0) & chosen[places]
        shortlist = self._shortlist(queries, k, files)
        at = self.layout.at(shortlist)
        numbers = rows.layout.starts[places[at]] + shortlist - self.layout.starts[at]
        return rescored(rows, np.where(shortlist >= 0, numbers, -1), queries, k)

    def _shortlist(self, queries: FloatArray, k: int, files: RowMask) -> RowIds:
        """Rows [q, n] of these files, -1 where none."""
        chosen_rows = int(self.layout.counts[files].sum())
        length = min(max(SHORTLIST, SHORTLIST_A_HIT * k), chosen_rows)
        selector = None if files.all() else bitmap(self.layout.mark(files))
        lists = faiss.extract_index_ivf(self.index).nlist
        share = probed_share(length, chosen_rows, self.layout.rows)
        found = self._probe(queries, length, selector, ceil(share * lists))
        if (found[:, k - 1] < 0).any():
            found = self._probe(queries, length, selector, lists)
        return found

    def _probe(self, queries: FloatArray, length: int, selector: faiss.IDSelector | None, lists: int) -> RowIds:
        # FAISS's stubs know the constructors of C++ only, not those that its Python layer puts in their place.
        probing = faiss.IVFRaBitQSearchParameters(sel=selector, nprobe=lists)  # type: ignore[call-arg]  # no stub of Python's
        parameters = faiss.SearchParametersPreTransform(index_params=probing)  # type: ignore[call-arg]  # no stub of Python's
        return self.index.search(queries, length, params=parameters)[1]


def probed_share(length: int, chosen_rows: int, rows: int) -> float:
    """The share of the lists to look into for a shortlist of some length, when some rows of all may be chosen."""
    # Fewer rows to choose from lie in more lists, in a less than even way: hence the root.
    return min(max(PROBED_SHARE / sqrt(chosen_rows / rows), 2 * length / chosen_rows), 1.0)


Building = Generator[float, None, IvfRabitqIndex]
"""Says before each step what share of the work is done, and in the end gives the index. It can be left at any step."""


def build(rows: Rows) -> Building:
    """An index of all rows of a space. `LibraryDamaged` when their shards hold what is not finite."""
    dim, count = rows.space.dim, rows.layout.rows
    lists = min(LISTS_A_ROOT * isqrt(count), count)
    sample_rows = min(count, lists * TRAINED_ROWS_A_LIST)
    rotation = faiss.HadamardRotation(dim)
    inverted = faiss.IndexIVFRaBitQFastScan(
        faiss.IndexFlatIP(rotation.d_out),
        rotation.d_out,
        lists,
        faiss.METRIC_INNER_PRODUCT,
        BLOCK_ROWS,
        True,
        BITS,
    )
    inverted.cp.min_points_per_centroid, inverted.cp.max_points_per_centroid = 1, TRAINED_ROWS_A_LIST
    sample = rotation.apply(_values(rows, np.linspace(0, count - 1, sample_rows, dtype=np.int64)))
    # Nearly all of the work is to compare rows with the centres of all lists.
    training = TRAINING_ROUNDS * sample_rows
    for share in _find_centres(inverted, sample):
        yield share * training / (training + count)
    inverted.train(sample)
    nothing = np.empty(0, dtype=np.int64)
    covering = IvfRabitqIndex(RowRanges.of(nothing, nothing), count, faiss.IndexPreTransform(rotation, inverted))
    return (yield from _extend(covering, rows, np.ones(len(rows.layout.counts), bool), training))


def extend(covering: IvfRabitqIndex, rows: Rows, files: RowMask) -> Building:
    """The same index with more files [files of the space]; the one that was given is used up. Errors as in `build`."""
    return _extend(covering, rows, files, 0)


def _extend(covering: IvfRabitqIndex, rows: Rows, files: RowMask, done: int) -> Building:
    """`done` rows of work lie behind it."""
    numbers = np.flatnonzero(rows.layout.mark(files))
    for start in range(0, len(numbers), SCAN_ROWS):
        yield (done + start) / (done + len(numbers))
        covering.index.add(_values(rows, numbers[start : start + SCAN_ROWS]))
    layout = RowRanges.of(
        np.concatenate([covering.layout.file_ids, rows.layout.file_ids[files]]),
        np.concatenate([covering.layout.counts, rows.layout.counts[files]]),
    )
    return IvfRabitqIndex(layout, covering.trained_rows, covering.index)


def _find_centres(inverted: faiss.IndexIVF, sample: FloatArray) -> Iterator[float]:
    """K-means by FAISS, with the settings of the index, one round at a time; says what share is done."""
    clustering = faiss.Clustering(inverted.d, inverted.nlist, inverted.cp)
    clustering.niter = 1
    for number in range(TRAINING_ROUNDS):
        yield number / TRAINING_ROUNDS
        clustering.train(sample, inverted.quantizer)  # starts from the centres of the round before


def _values(rows: Rows, numbers: RowIds) -> FloatArray:
    """The vectors of some rows, float32 [n, dim]."""
    values = rows.vectors(numbers).astype(np.float32)
    if not np.isfinite(values).all():
        raise LibraryDamaged(f"A shard of the space {rows.space.name} is damaged: run `pesearch doctor --repair`")
    return values
