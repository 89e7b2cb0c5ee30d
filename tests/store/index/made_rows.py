"""Rows of a space in memory, without a library, and their exact ranking."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pesearch.store.index.mapped_rows import MappedRows
from pesearch.store.shards.row_ranges import RowRanges
from pesearch.store.shards.vectors import ShardRows
from pesearch.types import Space, SpaceName

DIM = 16
SPACE = Space(SpaceName.FRAME, "made-up", "1", DIM)


def rows_of_files(files: list[np.ndarray]) -> MappedRows:
    """Rows of files 1, 2, ... from the vectors of each, float [n, dim]."""
    vectors = np.concatenate(files).astype(np.float16)
    starts = np.arange(len(vectors), dtype=np.float64)
    layout = RowRanges.of(np.arange(1, len(files) + 1), np.array([len(rows) for rows in files]))
    return MappedRows(
        replace(SPACE, dim=vectors.shape[1]), layout, [ShardRows(starts, starts + 1, vectors)], np.zeros(1, np.int64)
    )


def exact(rows: MappedRows, query: np.ndarray, first: int, stop: int, k: int) -> tuple[list[int], list[float]]:
    """Row ids and scores of the top k of one query [1, DIM] among the rows `first` to before `stop`."""
    scores = rows.vectors(np.arange(first, stop)).astype(np.float32) @ query[0]
    best = np.argsort(-scores)[:k]
    return (best + first).tolist(), scores[best].tolist()
