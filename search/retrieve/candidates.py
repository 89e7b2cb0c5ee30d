"""Fuses the rankings of all spaces and cues, and selects the parts of files to score in full.

Files may be hours long: only the parts around retrieved segments are scored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import zip_longest
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pesearch.timeline import HOP_SECONDS, WINDOW_SECONDS
from pesearch.types import Part, SegmentArray

WHOLE_FILE_GAP_SECONDS = 120.0
"""A query whose parts may be farther apart than this is evaluated over whole files."""

RRF_K = 60
"""The constant k of reciprocal rank fusion (Cormack et al. 2009)."""

_HOPS_PER_FILE = 1 << 32
"""A file and one of its hops as one number: file_id * _HOPS_PER_FILE + hop."""

HopKeys = npt.NDArray[np.int64]
HopScores = npt.NDArray[np.float64]

_NO_KEYS: HopKeys = np.empty(0, np.int64)


class Ranking(NamedTuple):
    """Retrieved segments, best first: `file_ids` int64 [n], `segments` float64 [n, 2] in seconds.

    A hit on a whole file, such as a title, ends at infinity.
    """

    file_ids: HopKeys
    segments: SegmentArray

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Ranking:
        """A ranking of parts, best first."""
        edges = np.array([(part.start_seconds, part.end_seconds) for part in parts])
        return cls(np.array([part.file_id for part in parts], dtype=np.int64), edges.reshape(-1, 2))


def rank_candidates(
    rankings: Iterable[Ranking], max_gap_seconds: float, count: int, duration_of: Callable[[int], float]
) -> tuple[Part, ...]:
    """At most `count` parts, best first, by reciprocal rank fusion of the hits within `max_gap_seconds` of each hop.

    Fusion favours files that are in many rankings: a still is in one, a film with sound in four. Half of the parts are
    therefore the best of each ranking, whatever the others say. A hit on a whole file counts at each hop of the file
    that has other hits. Parts of one file do not overlap.
    """
    rankings, whole_files = list(rankings), max_gap_seconds > WHOLE_FILE_GAP_SECONDS
    hops = 0 if whole_files else math.ceil(max_gap_seconds / HOP_SECONDS)
    fused = _fuse_rankings(rankings, hops, whole_files)
    places = dict(zip(fused, range(len(fused)), strict=True))
    best_of_file = cache(lambda file_id: next(key for key in fused if key // _HOPS_PER_FILE == file_id))
    heads = (key if key in places else best_of_file(key // _HOPS_PER_FILE) for key in _heads(rankings, whole_files))
    chosen = _Chosen(hops)
    chosen.take(heads, at_most=math.ceil(count / 2))
    chosen.take(fused, at_most=count)
    margin = math.inf if whole_files else max_gap_seconds + WINDOW_SECONDS
    centres = (divmod(key, _HOPS_PER_FILE) for key in sorted(chosen.keys, key=places.__getitem__))
    return tuple(merge_touching([_part_around(file_id, hop, margin, duration_of(file_id)) for file_id, hop in centres]))


class _Chosen:
    """Hop keys, none within `hops` and one more of another."""

    def __init__(self, hops: int) -> None:
        self.keys: list[int] = []
        self._hops = hops
        self._covered: set[int] = set()

    def take(self, keys: Iterable[int], at_most: int) -> None:
        """Adds keys in their order until there are `at_most`."""
        for key in keys:
            if len(self.keys) >= at_most:
                return
            if key not in self._covered:
                self.keys.append(key)
                self._covered.update(range(key - 1 - self._hops, key + 2 + self._hops))


def _heads(rankings: Sequence[Ranking], whole_files: bool) -> Iterator[int]:
    """The hop keys of the first hit of each ranking, then of the second of each, and so on."""
    columns = [_first_keys(ranking, whole_files).tolist() for ranking in rankings]
    return (key for row in zip_longest(*columns) for key in row if key is not None)


def _first_keys(ranking: Ranking, whole_files: bool) -> HopKeys:
    """The key of the hop in which each hit starts."""
    first_hops = np.floor(ranking.segments[:, 0] / HOP_SECONDS).astype(np.int64)
    is_whole_file = np.isinf(ranking.segments[:, 1]) | whole_files
    return ranking.file_ids * _HOPS_PER_FILE + np.where(is_whole_file, 0, first_hops)


def _fuse_rankings(rankings: Iterable[Ranking], hops: int, whole_files: bool) -> list[int]:
    """The hop keys by their fused scores, best first."""
    segment_rankings, file_rankings = [(_NO_KEYS, _NO_KEYS)], [(_NO_KEYS, _NO_KEYS)]
    for files, edges in rankings:
        ranks = np.arange(1, len(files) + 1)
        is_whole_file = np.isinf(edges[:, 1]) | whole_files
        file_rankings.append((files[is_whole_file], ranks[is_whole_file]))
        segment_rankings.append(_nearby_keys(files[~is_whole_file], ranks[~is_whole_file], edges[~is_whole_file], hops))
    keys, scores = _reciprocal_rank_fusion(segment_rankings)
    files, shares = _reciprocal_rank_fusion(file_rankings)
    at = np.searchsorted(files, keys // _HOPS_PER_FILE).clip(max=max(len(files) - 1, 0))
    if len(files):
        scores = scores + np.where(files[at] == keys // _HOPS_PER_FILE, shares[at], 0.0)
    unmatched = ~np.isin(files, keys // _HOPS_PER_FILE)
    keys = np.concatenate([keys, files[unmatched] * _HOPS_PER_FILE])
    scores = np.concatenate([scores, shares[unmatched]])
    order: list[int] = keys[np.lexsort([keys, -scores])].tolist()
    return order


def _nearby_keys(files: HopKeys, ranks: HopKeys, edges: SegmentArray, hops: int) -> tuple[HopKeys, HopKeys]:
    """The hop keys within `hops` of each segment, with the rank of the segment."""
    first_hops = np.floor(edges[:, 0] / HOP_SECONDS).astype(np.int64)
    stop_hops = np.maximum(np.ceil(edges[:, 1] / HOP_SECONDS).astype(np.int64), first_hops + 1)
    first_hops, counts = np.maximum(first_hops - hops, 0), stop_hops + hops - np.maximum(first_hops - hops, 0)
    hops_in_segments = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(files * _HOPS_PER_FILE + first_hops, counts) + hops_in_segments, np.repeat(ranks, counts)


def _reciprocal_rank_fusion(rankings: Sequence[tuple[HopKeys, HopKeys]]) -> tuple[HopKeys, HopScores]:
    """The distinct hop keys of rankings, given as (keys, ranks), and their fused scores: each ranking counts with its
    best rank at a key."""
    keys, ranks = (np.concatenate(column) for column in zip(*rankings, strict=True))
    ranking = np.repeat(np.arange(len(rankings)), [len(ranks) for _, ranks in rankings])
    order = np.argsort(keys, kind="stable")  # of one key, each ranking has its best rank first
    keys, ranks, ranking = keys[order], ranks[order], ranking[order]
    is_new_key = np.diff(keys, prepend=-1) != 0
    counts = is_new_key | (np.diff(ranking, prepend=-1) != 0)
    shares = np.where(counts, 1 / (RRF_K + ranks.astype(np.float64)), 0.0)
    scores = np.bincount(np.cumsum(is_new_key) - 1, weights=shares, minlength=int(is_new_key.sum()))
    return keys[is_new_key], scores.astype(np.float64)


def _part_around(file_id: int, hop: int, margin_seconds: float, duration_seconds: float) -> Part:
    """A part of whole hops that extends at least `margin_seconds` before and after a hop."""
    margin = margin_seconds if margin_seconds == math.inf else HOP_SECONDS * math.ceil(margin_seconds / HOP_SECONDS)
    start, end = hop * HOP_SECONDS - margin, (hop + 1) * HOP_SECONDS + margin
    return _clipped(file_id, start, end, duration_seconds)


def widen(part: Part, duration_seconds: float) -> Part:
    """A part extended by its own length at both ends."""
    hops = round((min(part.end_seconds, duration_seconds) - part.start_seconds) / HOP_SECONDS)
    start, end = part.start_seconds - hops * HOP_SECONDS, part.end_seconds + hops * HOP_SECONDS
    return _clipped(part.file_id, start, end, duration_seconds)


def _clipped(file_id: int, start_seconds: float, end_seconds: float, duration_seconds: float) -> Part:
    """A part clipped to its file; it ends at infinity if it includes the end of the file."""
    return Part(file_id, max(start_seconds, 0.0), end_seconds if end_seconds < duration_seconds else math.inf)


def merge_touching(parts: Sequence[Part]) -> Iterator[Part]:
    """Merges touching parts of one file; the result is at the position of the first of them."""
    remaining: dict[int, dict[Part, None]] = {}
    for part in parts:
        remaining.setdefault(part.file_id, {})[part] = None
    for part in parts:
        of_file = remaining[part.file_id]
        if part not in of_file:
            continue
        del of_file[part]
        while touching := [other for other in of_file if _touch(part, other)]:
            for other in touching:
                del of_file[other]
            group = [part, *touching]
            start = min(part.start_seconds for part in group)
            part = Part(part.file_id, start, max(part.end_seconds for part in group))
        yield part


def _touch(a: Part, b: Part) -> bool:
    return a.start_seconds <= b.end_seconds and b.start_seconds <= a.end_seconds
