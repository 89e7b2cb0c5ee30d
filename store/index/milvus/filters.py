"""How rows and files are named on a Milvus: the id of a row, and what lets a choice of files through."""

from __future__ import annotations

import numpy as np

from pesearch.store.shards.row_ranges import RowIds

_ROW_BITS = 32
"""Of the 64 bits of an id, those that number the row in its file; those above are the file."""

_RUN_FILES, _MOST_RUNS, _MOST_NAMED = 8, 100, 10_000
"""From how many files in a row on they are a run; how many runs, and how many files by name, one search takes: Milvus
Lite reads 10,000 names in 70 ms, and nests one level a run."""


def expressions(wanted: RowIds, held: RowIds) -> list[str]:
    """What Milvus lets through of the files that a collection holds: those `wanted`, in one search for each expression.

    Both are file ids in rising order. Long runs of files are given by their ends, others by name.
    """
    if len(wanted) == len(held):
        return [""]
    places = np.searchsorted(held, wanted)
    edges = np.flatnonzero(np.diff(places) != 1) + 1
    firsts, stops = np.concatenate([[0], edges]), np.concatenate([edges, [len(wanted)]])
    runs = stops - firsts >= _RUN_FILES
    ranges = [
        f"(file_id >= {wanted[first]} and file_id <= {wanted[stop - 1]})"
        for first, stop in zip(firsts[runs], stops[runs], strict=True)
    ]
    named = wanted[~np.repeat(runs, stops - firsts)].tolist()
    made = []
    while ranges or named:
        terms = ranges[:_MOST_RUNS] + ([f"file_id in {named[:_MOST_NAMED]}"] if named else [])
        made.append(" or ".join(terms))
        ranges, named = ranges[_MOST_RUNS:], named[_MOST_NAMED:]
    return made


def row_ids(file_ids: RowIds, numbers: RowIds) -> RowIds:
    """The ids of rows: of the file, and the number of the row in it."""
    return (file_ids << _ROW_BITS) | numbers


def rows_of_ids(ids: RowIds) -> tuple[RowIds, RowIds]:
    """The files of ids, and the numbers of the rows in them."""
    return ids >> _ROW_BITS, ids & ((1 << _ROW_BITS) - 1)
