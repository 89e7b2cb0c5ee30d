"""A question as vectors, and the parts of files that may answer it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pesearch.search.encode.query_vector import QueryVector
from pesearch.search.query.operators import All, Either, InOrder, reach
from pesearch.search.query.plan import QueryPlan
from pesearch.search.retrieve.candidates import Ranking, rank_candidates
from pesearch.search_hits import Hits
from pesearch.types import Part, SpaceName

if TYPE_CHECKING:
    from pesearch.store.library import Library

MIN_HITS_PER_VECTOR, HITS_PER_MOMENT = 100, 4
"""How deep each space is searched for each vector: at least so deep, and so deep for each moment asked for."""

PARTS_PER_MOMENT, MIN_PARTS, COMBINED_FACTOR = 2, 20, 4
"""How many parts of files are looked at closely: so many for each moment that is asked for, and at least so many. Times
so many for a question that combines others: what holds all of it is not what holds one of them best. By
`benchmarks.search` nDCG@10 is 0.80, 0.89 and 0.93 with 20, 40 and 80 parts; plain sentences gain nothing."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What each probe found, best first, and the parts of files that are worth a closer look, likeliest first."""

    hits: tuple[Hits, ...]
    parts: tuple[Part, ...]


def retrieve(
    library: Library,
    asked: QueryPlan,
    probes: Sequence[QueryVector],
    k: int,
    file_ids: frozenset[int] | None,
    written: Iterable[Ranking] = (),
) -> Retrieved:
    """Searches each space with all its probes at once, in `file_ids` only when given. What is excluded finds nothing.

    `written` are rankings of what cues found, best first.
    """
    of_spaces = _by_space(asked, probes)
    queries = {space: np.stack([probes[number].vector for number in numbers]) for space, numbers in of_spaces.items()}
    found = library.search_spaces(queries, max(MIN_HITS_PER_VECTOR, HITS_PER_MOMENT * k), file_ids)
    hits = {
        number: one for space, numbers in of_spaces.items() for number, one in zip(numbers, found[space], strict=True)
    }
    is_combined = isinstance(asked.plan, All | InOrder | Either) or asked.has_redundant_terms
    ordered = tuple(hits.get(number, Hits.empty(probe.space)) for number, probe in enumerate(probes))
    parts = rank_candidates(
        [*(Ranking(one.file_ids, one.segments) for one in ordered), *written],
        reach(asked.plan),
        max(PARTS_PER_MOMENT * k, MIN_PARTS) * (COMBINED_FACTOR if is_combined else 1),
        lambda file_id: library.file(file_id).info.duration_seconds,
    )
    return Retrieved(ordered, parts)


def _by_space(asked: QueryPlan, probes: Sequence[QueryVector]) -> dict[SpaceName, list[int]]:
    spaces: dict[SpaceName, list[int]] = defaultdict(list)
    for number, probe in enumerate(probes):
        if asked.is_positive[probe.part]:
            spaces[probe.space].append(number)
    return spaces
