"""Searches the spaces of a library and selects the parts of files to score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pesearch.search.encode.query_vector import QueryVector
from pesearch.search.query.operators import max_gap
from pesearch.search.query.plan import QueryPlan
from pesearch.search.retrieve.candidates import Ranking, rank_candidates
from pesearch.search_hits import Hits
from pesearch.types import Part, SpaceName

if TYPE_CHECKING:
    from pesearch.store.library import Library

STABLE_MOMENTS = 50
"""Up to this many requested moments, the same parts are scored: a shorter answer is the beginning of a longer one."""

HITS_PER_MOMENT = 2
"""Each query vector retrieves this many segments of its space per requested moment."""

PARTS_PER_MOMENT = 1.6
"""Parts of files that are scored per requested moment. A file that matches all of a query with operators need not rank
high for any one term: nDCG@10 of `benchmarks.search` is 0.80 with 20 parts, 0.89 with 40, 0.92 with 80 or 100."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The hits of each query vector, best first, and the parts of files to score, best candidates first."""

    hits: tuple[Hits, ...]
    parts: tuple[Part, ...]


def retrieve(
    library: Library,
    plan: QueryPlan,
    query_vectors: Sequence[QueryVector],
    k: int,
    file_ids: frozenset[int] | None,
    cue_rankings: Iterable[Ranking] = (),
) -> Retrieved:
    """Searches each space with all its query vectors at once; excluded terms retrieve nothing.

    file_ids: The files to search; None for all.
    cue_rankings: Rankings of matching cues, best first, to fuse with those of the spaces.
    """
    numbers_by_space = _group_by_space(plan, query_vectors)
    queries = {
        space: np.stack([query_vectors[number].vector for number in numbers])
        for space, numbers in numbers_by_space.items()
    }
    moments = max(k, STABLE_MOMENTS)
    found = library.search_spaces(queries, HITS_PER_MOMENT * moments, file_ids)
    hits = {
        number: vector_hits
        for space, numbers in numbers_by_space.items()
        for number, vector_hits in zip(numbers, found[space], strict=True)
    }
    ordered = tuple(hits.get(number, Hits.empty(vector.space)) for number, vector in enumerate(query_vectors))
    parts = rank_candidates(
        [*(Ranking(vector_hits.file_ids, vector_hits.segments) for vector_hits in ordered), *cue_rankings],
        max_gap(plan.root),
        round(PARTS_PER_MOMENT * moments),
        lambda file_id: library.file(file_id).info.duration_seconds,
    )
    return Retrieved(ordered, parts)


def _group_by_space(plan: QueryPlan, query_vectors: Sequence[QueryVector]) -> dict[SpaceName, list[int]]:
    numbers: dict[SpaceName, list[int]] = defaultdict(list)
    for number, vector in enumerate(query_vectors):
        if plan.is_positive[vector.term]:
            numbers[vector.space].append(number)
    return numbers
