"""Folds moments that are near-equal into the best of them: copies of a recording, or what recurs in one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pesearch.search.retrieve.retriever import STABLE_MOMENTS
from pesearch.search.score.near_equality import MeanVectors, Near, are_near, group
from pesearch.search.score.single_precision import single_precision
from pesearch.timeline import STEP_SECONDS, WINDOW_SECONDS
from pesearch.types import Moment, NearDuplicate, Part, SpaceName

if TYPE_CHECKING:
    from pesearch.store.library import Library

RANKED_PER_MOMENT = (4, 16)
"""Moments that are compared for each requested one, at least STABLE_MOMENTS; more if too few of the first are distinct.
A query takes about five times as long with the first number (`benchmarks.near_duplicates`)."""

_MIN_OVERLAP_SECONDS = 1e-3
"""Overlap of a segment without length, as a still has."""


def distinct_moments(
    rank: Callable[[int], Sequence[Moment]], library: Library, typical_distances: Mapping[SpaceName, float], k: int
) -> tuple[Moment, ...]:
    """The best `k` moments of which no two are near-equal, each with those that were folded into it.

    As many are compared for a smaller k, so that a shorter answer is the beginning of a longer one.

    rank: Returns at most so many moments, best first.
    """
    wanted, distinct = max(k, STABLE_MOMENTS), list[Moment]()
    for ranked_per_moment in RANKED_PER_MOMENT:
        moments = rank(ranked_per_moment * wanted)
        groups = group(near_equal(moments, library, typical_distances), _share_windows(moments))
        distinct = [_folded([moments[number] for number in numbers]) for numbers in groups]
        if len(distinct) >= wanted or len(moments) < ranked_per_moment * wanted:
            break
    return tuple(replace(moment, rank=number) for number, moment in enumerate(distinct[:k], start=1))


def compared_moments(distinct: Sequence[Moment], k: int) -> int | None:
    """How many moments `distinct_moments` has compared at most, if that left fewer than `k`: there may be more that
    differ, but match worse than so many near-equal ones."""
    most = RANKED_PER_MOMENT[-1] * max(k, STABLE_MOMENTS)
    compared = sum(1 + len(moment.near_duplicates) for moment in distinct)
    return most if len(distinct) < k and compared >= most else None


def near_equal(moments: Sequence[Moment], library: Library, typical_distances: Mapping[SpaceName, float]) -> Near:
    """Which pairs of moments are near-equal, bool [n, n]: in each space, and in the cues that were found."""
    texts = [frozenset(" ".join(cue.text.split()) for cue in moment.cues) for moment in moments]
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    of_moment = np.array([numbers[text] for text in texts])
    near: Near = of_moment[:, None] == of_moment
    for space, typical in typical_distances.items():
        near &= are_near(_mean_vectors(moments, library, space), typical)
    return near


def _share_windows(moments: Sequence[Moment]) -> Near:
    """Which pairs are less than a window apart in one file, bool [n, n]: vectors of windows cannot tell them apart."""
    columns = [(each.file.id, each.start_seconds, each.end_seconds) for each in moments]
    files, starts, ends = np.array(columns).reshape(-1, 3).T
    gaps = np.maximum.outer(starts, starts) - np.minimum.outer(ends, ends)
    share: Near = np.equal.outer(files, files) & (gaps < WINDOW_SECONDS)
    return share


def _folded(group: Sequence[Moment]) -> Moment:
    """The first moment of a group, with the others folded into it."""
    first, *others = group
    near_duplicates = (NearDuplicate(each.file, each.start_seconds, each.end_seconds, each.score) for each in others)
    return replace(first, near_duplicates=tuple(near_duplicates))


def _mean_vectors(moments: Sequence[Moment], library: Library, space: SpaceName) -> MeanVectors:
    """The mean vector of each moment. Segments count by how long they overlap it.

    One that overlaps it no longer than half as long as another does is left out: most of it is what comes before or
    after, which differs where the same recording is in other edits.
    """
    numbers = {_part_of(moment): number for number, moment in enumerate(moments)}
    (dim,) = (each.dim for each in library.spaces if each.name == space)
    sums, is_there = np.zeros((len(moments), dim), np.float32), np.zeros(len(moments), np.bool_)
    for stored in library.vectors_of(list(numbers), space):
        for part, rows in stored.each():
            starts, ends = stored.segments[rows].T
            overlaps = np.minimum(ends, part.end_seconds) - np.maximum(starts, part.start_seconds)
            overlaps = np.maximum(overlaps, _MIN_OVERLAP_SECONDS)
            weights = np.where(overlaps > overlaps.max() / 2, overlaps, 0.0).astype(np.float32)
            sums[numbers[part]], is_there[numbers[part]] = weights @ single_precision(stored.vectors[rows]), True
    return MeanVectors.of(sums, is_there)


def _part_of(moment: Moment) -> Part:
    """The interval of a moment; a still image has one of zero length, which is extended to overlap its segment."""
    end = max(moment.end_seconds, moment.start_seconds + STEP_SECONDS)
    return Part(moment.file.id, moment.start_seconds, end)
