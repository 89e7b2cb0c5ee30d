"""The parts of files that are worth a closer look: where what was found lies, with what may count beside it.

A library may hold films of hours. What answers a question lies around what its spaces and its cues found of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pesearch.timeline import HOP_SECONDS, WINDOW_SECONDS
from pesearch.types import Part, SegmentArray

LONGEST_REACH_SECONDS = 120.0
"""A question whose parts may lie farther from each other is looked for in whole files."""

RRF_K = 60
"""The constant of reciprocal rank fusion (Cormack et al. 2009)."""

_HOPS = 1 << 32
"""A place is a file and which of its hops, as one number: file_id * _HOPS + hop."""

Places = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]

_NOWHERE: Places = np.empty(0, np.int64)


class Ranking(NamedTuple):
    """What was found somewhere in files, best first: `file_ids` int64 [n], `segments` float64 [n, 2] in seconds.

    What was found of all of a file ends at infinity.
    """

    file_ids: Places
    segments: SegmentArray

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Ranking:
        """These parts, best first."""
        edges = np.array([(part.start_seconds, part.end_seconds) for part in parts])
        return cls(np.array([part.file_id for part in parts], dtype=np.int64), edges.reshape(-1, 2))


def rank_candidates(
    rankings: Iterable[Ranking], reach_seconds: float, count: int, duration_of: Callable[[int], float]
) -> tuple[Part, ...]:
    """At most `count` parts, likeliest first, by reciprocal rank fusion of what lies within reach of each place.

    `rankings` are what was found, best first; what was found of all of a file counts at each of its places. Parts of
    one file do not overlap.
    """
    is_far = reach_seconds > LONGEST_REACH_SECONDS
    hops = 0 if is_far else math.ceil(reach_seconds / HOP_SECONDS)
    taken: set[int] = set()
    chosen: list[int] = []
    for place in _best_first(rankings, hops, is_far):
        if len(chosen) == count:
            break
        if place not in taken:
            chosen.append(place)
            taken.update(range(place - 1 - hops, place + 2 + hops))
    wide = math.inf if is_far else reach_seconds + WINDOW_SECONDS
    found = (divmod(place, _HOPS) for place in chosen)
    return tuple(joined([_part_around(file_id, hop, wide, duration_of(file_id)) for file_id, hop in found]))


def _best_first(rankings: Iterable[Ranking], hops: int, is_far: bool) -> list[int]:
    """The places by their scores."""
    of_places, of_files = [(_NOWHERE, _NOWHERE)], [(_NOWHERE, _NOWHERE)]
    for files, edges in rankings:
        ranks = np.arange(1, len(files) + 1)
        whole = np.isinf(edges[:, 1]) | is_far
        of_files.append((files[whole], ranks[whole]))
        of_places.append(_covered(files[~whole], ranks[~whole], edges[~whole], hops))
    places, scores = _fused(of_places)
    files, shares = _fused(of_files)
    at = np.searchsorted(files, places // _HOPS).clip(max=max(len(files) - 1, 0))
    if len(files):
        scores = scores + np.where(files[at] == places // _HOPS, shares[at], 0.0)
    alone = ~np.isin(files, places // _HOPS)
    places = np.concatenate([places, files[alone] * _HOPS])
    scores = np.concatenate([scores, shares[alone]])
    order: list[int] = places[np.lexsort([places, -scores])].tolist()
    return order


def _covered(files: Places, ranks: Places, edges: SegmentArray, hops: int) -> tuple[Places, Places]:
    """Each place that lies within so many hops of one that was found, with its rank."""
    begins = np.floor(edges[:, 0] / HOP_SECONDS).astype(np.int64)
    ends = np.maximum(np.ceil(edges[:, 1] / HOP_SECONDS).astype(np.int64), begins + 1)
    begins, counts = np.maximum(begins - hops, 0), ends + hops - np.maximum(begins - hops, 0)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(files * _HOPS + begins, counts) + within, np.repeat(ranks, counts)


def _fused(rankings: Sequence[tuple[Places, Places]]) -> tuple[Places, Scores]:
    """Each place of rankings, given with their ranks, and its score: of each ranking its best rank there counts."""
    places, ranks = (np.concatenate(column) for column in zip(*rankings, strict=True))
    ranking = np.repeat(np.arange(len(rankings)), [len(ranks) for _, ranks in rankings])
    order = np.lexsort([ranks, ranking, places])
    places, ranks, ranking = places[order], ranks[order], ranking[order]
    new_place = np.diff(places, prepend=-1) != 0
    counts = new_place | (np.diff(ranking, prepend=-1) != 0)
    shares = np.where(counts, 1 / (RRF_K + ranks.astype(np.float64)), 0.0)
    scores = np.bincount(np.cumsum(new_place) - 1, weights=shares, minlength=int(new_place.sum()))
    return places[new_place], scores.astype(np.float64)


def _part_around(file_id: int, hop: int, wide_seconds: float, duration_seconds: float) -> Part:
    """So much around a hop of a file that lasts so long, whole hops."""
    wide = wide_seconds if wide_seconds == math.inf else HOP_SECONDS * math.ceil(wide_seconds / HOP_SECONDS)
    start, end = hop * HOP_SECONDS - wide, (hop + 1) * HOP_SECONDS + wide
    return _inside(file_id, start, end, duration_seconds)


def widened(part: Part, duration_seconds: float) -> Part:
    """A part with as much again before it and after it."""
    hops = round((min(part.end_seconds, duration_seconds) - part.start_seconds) / HOP_SECONDS)
    start, end = part.start_seconds - hops * HOP_SECONDS, part.end_seconds + hops * HOP_SECONDS
    return _inside(part.file_id, start, end, duration_seconds)


def _inside(file_id: int, start_seconds: float, end_seconds: float, duration_seconds: float) -> Part:
    """A part that begins and ends with its file where it would reach beyond it."""
    return Part(file_id, max(start_seconds, 0.0), end_seconds if end_seconds < duration_seconds else math.inf)


def joined(parts: Sequence[Part]) -> Iterator[Part]:
    """Parts of one file that touch as one, in the place of the first of them."""
    left = dict.fromkeys(parts)
    for part in parts:
        if part not in left:
            continue
        del left[part]
        while touching := [other for other in left if _touch(part, other)]:
            for other in touching:
                del left[other]
            together = [part, *touching]
            start = min(each.start_seconds for each in together)
            part = Part(part.file_id, start, max(each.end_seconds for each in together))
        yield part


def _touch(a: Part, b: Part) -> bool:
    return a.file_id == b.file_id and a.start_seconds <= b.end_seconds and b.start_seconds <= a.end_seconds
