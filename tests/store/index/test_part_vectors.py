"""The rows of a part of a file: those that a plain comparison of all its segments selects."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pesearch.store.index.mapped_rows import MappedRows
from pesearch.store.index.part_vectors import PartRanges
from pesearch.store.shards.row_ranges import RowRanges
from pesearch.store.shards.vectors import ShardRows
from pesearch.types import Part, SegmentArray
from tests.store.index.made_rows import DIM, SPACE

TIMES = st.integers(0, 12).map(float)
FILE = st.lists(st.tuples(TIMES, TIMES), max_size=8).map(
    lambda times: np.sort(np.array([(min(pair), max(pair)) for pair in times]).reshape(-1, 2), axis=0)
)


def rows_of(files: list[SegmentArray], cuts: list[int]) -> MappedRows:
    """Rows of files 2, 4, ... with these segments, in shards that end at `cuts`; a vector is the number of its row."""
    segments = np.concatenate(files)
    vectors = np.repeat(np.arange(len(segments), dtype=np.float16)[:, None], DIM, axis=1)
    edges = sorted({0, len(segments), *(cut for cut in cuts if cut < len(segments))})
    shards = [ShardRows(*segments[start:stop].T, vectors[start:stop]) for start, stop in pairwise(edges)]
    counts = np.array([len(file) for file in files])
    layout = RowRanges.of(2 * np.flatnonzero(counts) + 2, counts[counts > 0])
    return MappedRows(SPACE, layout, shards, np.array(edges[:-1], np.int64))


@given(
    files=st.lists(FILE, min_size=1, max_size=4).filter(lambda files: sum(map(len, files)) > 0),
    cuts=st.lists(st.integers(1, 20), max_size=4),
    asked=st.lists(st.tuples(st.integers(1, 9), TIMES, TIMES | st.just(math.inf)), min_size=1, max_size=6),
)
def test_rows_of_a_part_are_those_of_a_plain_comparison(
    files: list[SegmentArray], cuts: list[int], asked: list[tuple[int, float, float]]
) -> None:
    rows = rows_of(files, cuts)
    first_rows = np.cumsum([0, *map(len, files)])
    parts = [Part(file_id, start, end) for file_id, start, end in asked if start < end]
    expected: dict[Part, list[int]] = {}
    for part in parts:
        number = part.file_id // 2 - 1
        if part.file_id % 2 or number >= len(files):
            continue
        starts, ends = files[number].T
        overlaps = (starts < part.end_seconds) & (ends > part.start_seconds)
        inside = np.flatnonzero(overlaps | (starts == part.start_seconds))
        if len(inside):
            expected[part] = (first_rows[number] + inside).tolist()
    read = [batch.read() for batch in PartRanges.of(rows, parts).batches()]
    found = [(part, each.vectors[own, 0].tolist()) for each in read if each for part, own in each.each()]
    assert dict(found) == expected
    assert [of_part[0] for _, of_part in found] == sorted(of_part[0] for of_part in expected.values())
