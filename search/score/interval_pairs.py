"""Pairs of intervals that are close in time, found by sorting: joins of thousands of intervals are not quadratic.

Intervals are given as their times, float64 [n, 2] in seconds, and pairs returned as their numbers, int64 [pairs] twice.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pesearch.types import SegmentArray

MAX_PARTNERS = 16
"""An interval with more others in reach, as under `WITHIN 1h`, is paired with this many of the nearest before it, of
the nearest after it, and of those with the best scores, and with all that it covers. Each interval with another in
reach keeps one: the limit decides which of overlapping answers is shown, never whether there is one. Within 30 s
(DEFAULT_THEN_SECONDS) there are fewer: a line of subtitles is shown for 2 s and more."""

MAX_ALL_PAIRS = 1 << 16
"""At most so many pairs are compared one by one: 64 * 64 take 0.04 ms, and sorting as many intervals 0.9 ms."""

Numbers = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Pairs = tuple[Numbers, Numbers]


def pairs_in_reach(a: SegmentArray, b: SegmentArray, a_scores: Scores, b_scores: Scores, seconds: float) -> Pairs:
    """The pairs at most `seconds` apart, by row and column; of more than MAX_ALL_PAIRS see MAX_PARTNERS."""
    if len(a) * len(b) <= MAX_ALL_PAIRS:
        rows, columns = np.nonzero(_gaps(a[:, None], b[None]) <= seconds)
        return rows, columns
    found = [*_nearest(a, b, seconds), _covered(a, b), _pairs_with(a, b, b_scores, seconds)]
    found += [
        (rows, columns)
        for columns, rows in (*_nearest(b, a, seconds), _covered(b, a), _pairs_with(b, a, a_scores, seconds))
    ]
    return _distinct(found, len(b))


def pairs_in_order(a: SegmentArray, b: SegmentArray, a_scores: Scores, b_scores: Scores, seconds: float) -> Pairs:
    """The pairs in which b starts at most `seconds` after the end of a, or overlaps a, with the same limits."""
    if len(a) * len(b) <= MAX_ALL_PAIRS:
        rows, columns = np.nonzero(b[None, :, 0] - a[:, None, 1] <= seconds)
        return rows, columns
    by_start, by_end = np.argsort(b[:, 0], kind="stable"), np.argsort(a[:, 1], kind="stable")
    starts, ends = b[by_start, 0], a[by_end, 1]
    first, stop = np.searchsorted(starts, a[:, 1]), np.searchsorted(starts, a[:, 1] + seconds, side="right")
    after = _expand(first, np.minimum(stop, first + MAX_PARTNERS), by_start)
    first, stop = np.searchsorted(ends, b[:, 0] - seconds), np.searchsorted(ends, b[:, 0], side="right")
    columns, rows = _expand(np.maximum(first, stop - MAX_PARTNERS), stop, by_end)
    return _distinct([after, (rows, columns), pairs_in_reach(a, b, a_scores, b_scores, 0.0)], len(b))


def overlapping_pairs(a: SegmentArray, b: SegmentArray) -> Pairs:
    """All pairs that overlap or touch, each once."""
    by_start = np.argsort(b[:, 0], kind="stable")
    starts = b[by_start, 0]
    rows, columns = _expand(
        np.searchsorted(starts, a[:, 0]), np.searchsorted(starts, a[:, 1], side="right"), by_start
    )  # b starts inside a
    order = np.argsort(a[:, 0], kind="stable")
    starts = a[order, 0]
    more_columns, more_rows = _expand(
        np.searchsorted(starts, b[:, 0], side="right"), np.searchsorted(starts, b[:, 1], side="right"), order
    )  # a starts inside b
    return np.concatenate([rows, more_rows]), np.concatenate([columns, more_columns])


def best_per_edge(starts: Scores, ends: Scores, scores: Scores, count: int) -> Numbers:
    """The rows of intervals that are among the `count` best of those with the same start, or with the same end: by
    score, then the shorter."""
    order = np.lexsort([starts, ends - starts, -scores])
    ranks = np.minimum(_ranks_in_group(starts[order]), _ranks_in_group(ends[order]))
    return order[ranks < count]


def without_containing(starts: Scores, ends: Scores, scores: Scores) -> Numbers:
    """The rows of intervals that contain no other with the same score; of equal intervals one. Those of zero length
    stay, and count for none: they do not overlap an interval that begins or ends with them."""
    order = np.lexsort([ends, -starts, scores])
    firsts = np.flatnonzero(np.diff(scores[order], prepend=np.nan) != 0)
    kept = []
    for rows in np.split(order, firsts[1:]):
        has_length = ends[rows] > starts[rows]
        earliest_ends = np.minimum.accumulate(np.where(has_length, ends[rows], np.inf))
        is_kept = ends[rows] < np.concatenate([[np.inf], earliest_ends[:-1]])
        kept.append(rows[is_kept | ~has_length])
    return np.concatenate(kept)


def _ranks_in_group(values: Scores) -> Numbers:
    """How many equal values come before each, int64 [n]."""
    order = np.argsort(values, kind="stable")
    is_first = np.diff(values[order], prepend=np.nan) != 0
    firsts = np.maximum.accumulate(np.where(is_first, np.arange(len(values)), 0))
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.arange(len(values)) - firsts
    return ranks


def _nearest(a: SegmentArray, b: SegmentArray, seconds: float) -> tuple[Pairs, Pairs]:
    """For each a the next that start with it or later, and the last that end with it or earlier."""
    by_start, by_end = np.argsort(b[:, 0], kind="stable"), np.argsort(b[:, 1], kind="stable")
    starts, ends = b[by_start, 0], b[by_end, 1]
    first, stop = np.searchsorted(starts, a[:, 0]), np.searchsorted(starts, a[:, 1] + seconds, side="right")
    after = _expand(first, np.minimum(stop, first + MAX_PARTNERS), by_start)
    first, stop = np.searchsorted(ends, a[:, 0] - seconds), np.searchsorted(ends, a[:, 1], side="right")
    return after, _expand(np.maximum(first, stop - MAX_PARTNERS), stop, by_end)


def _covered(a: SegmentArray, b: SegmentArray) -> Pairs:
    """All pairs in which a covers b."""
    by_start = np.argsort(b[:, 0], kind="stable")
    starts = b[by_start, 0]
    rows, columns = _expand(np.searchsorted(starts, a[:, 0]), np.searchsorted(starts, a[:, 1], side="right"), by_start)
    covers = b[columns, 1] <= a[rows, 1]
    return rows[covers], columns[covers]


def _pairs_with(a: SegmentArray, b: SegmentArray, b_scores: Scores, seconds: float) -> Pairs:
    """The pairs with the MAX_PARTNERS best of b."""
    best = np.argsort(-b_scores, kind="stable")[:MAX_PARTNERS]
    rows, columns = np.nonzero(_gaps(a[:, None], b[best][None]) <= seconds)
    return rows, best[columns]


def _gaps(a: SegmentArray, b: SegmentArray) -> Scores:
    """Seconds between intervals, negative if they overlap."""
    return np.maximum(b[..., 0] - a[..., 1], a[..., 0] - b[..., 1])


def _expand(first: Numbers, stop: Numbers, order: Numbers) -> Pairs:
    """The pairs of each row with the entries first:stop of an order."""
    counts = np.maximum(stop - first, 0)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(np.arange(len(first)), counts), order[np.repeat(first, counts) + offsets]


def _distinct(pairs: list[Pairs], columns: int) -> Pairs:
    keys = np.unique(np.concatenate([rows * columns + column for rows, column in pairs]))
    return keys // columns, keys % columns
