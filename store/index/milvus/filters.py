"""Primary keys of rows on Milvus, and filter expressions for sets of files."""

from __future__ import annotations

import numpy as np

from pesearch.store.shards.row_ranges import RowIds

_ROW_BITS = 32
"""Low bits of a primary key: the number of the row in its file. The high bits are the file id."""

_MIN_RUN_FILES = 8
"""Minimum number of consecutive files that are given as a range."""

_MAX_RUNS = 100
"""Maximum number of ranges in an expression: Milvus Lite nests a level for each."""

_MAX_FILE_IDS = 10_000
"""Maximum number of single file ids in an expression: Milvus Lite parses that many in 70 ms."""


def filter_expressions(wanted: RowIds, stored: RowIds) -> list[str]:
    """Expressions that together match the `wanted` of the `stored` files of a collection, one for each search.

    Both are file ids in rising order. No file matches twice. Long runs of stored files become ranges.
    """
    if len(wanted) == len(stored):
        return [""]
    places = np.searchsorted(stored, wanted)
    edges = np.flatnonzero(np.diff(places) != 1) + 1
    firsts, stops = np.concatenate([[0], edges]), np.concatenate([edges, [len(wanted)]])
    runs = stops - firsts >= _MIN_RUN_FILES
    ranges = [
        f"(file_id >= {wanted[first]} and file_id <= {wanted[stop - 1]})"
        for first, stop in zip(firsts[runs], stops[runs], strict=True)
    ]
    singles = wanted[~np.repeat(runs, stops - firsts)].tolist()
    expressions = []
    while ranges or singles:
        terms = ranges[:_MAX_RUNS] + ([f"file_id in {singles[:_MAX_FILE_IDS]}"] if singles else [])
        expressions.append(" or ".join(terms))
        ranges, singles = ranges[_MAX_RUNS:], singles[_MAX_FILE_IDS:]
    return expressions


def primary_keys(file_ids: RowIds, numbers: RowIds) -> RowIds:
    """The keys of rows, int64 [n], from file ids and row numbers within the file."""
    return (file_ids << _ROW_BITS) | numbers


def split_keys(keys: RowIds) -> tuple[RowIds, RowIds]:
    """The file ids of keys, and the row numbers in these files. The inverse of `primary_keys`."""
    return keys >> _ROW_BITS, keys & ((1 << _ROW_BITS) - 1)
