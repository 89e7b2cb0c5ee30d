"""Search for cues by meaning: the cues whose vectors are nearest to those of the queries."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from pesearch.cues import CueHit
from pesearch.store.catalogue.cue_extents import cues_at
from pesearch.store.generation import Generation
from pesearch.store.shards.row_ranges import RowIds
from pesearch.types import FloatArray, SpaceName


@dataclass(frozen=True, slots=True, eq=False)
class SimilarCues:
    """Cues found for `query_count` queries, best first for each query, as columns [n].

    Entry i is cue `cue_numbers[i]` of source `source_ids[i]`, found for query `query_numbers[i]`.
    """

    query_count: int
    query_numbers: RowIds
    source_ids: RowIds
    cue_numbers: RowIds
    scores: npt.NDArray[np.float32]

    def read(self, connection: duckdb.DuckDBPyConnection) -> list[list[CueHit]]:
        """Read the cues: the hits of each query. A cue that is in two sources of a file is listed once."""
        cues = cues_at(connection, self.source_ids, self.cue_numbers)
        hits: list[dict[object, CueHit]] = [{} for _ in range(self.query_count)]
        for entry, (query, score) in enumerate(zip(self.query_numbers.tolist(), self.scores.tolist(), strict=True)):
            if (found := cues.get(entry)) is not None:
                of_query = hits[query]
                hit = CueHit(found.file_id, found.cue, score, rank=len(of_query) + 1)
                of_query.setdefault((found.file_id, found.cue), hit)
        return [list(of_query.values()) for of_query in hits]


def find_similar_cues(
    generation: Generation, queries: FloatArray, min_scores: FloatArray, k: int, file_ids: frozenset[int] | None
) -> SimilarCues:
    """The k best cues for each of `queries` [q, dim] that score at least `min_scores` [q]; only in `file_ids` when
    given."""
    space, embedded = generation.snapshot.space(SpaceName.CUE), generation.snapshot.embedded
    if space is None or not len(embedded.ids):
        none = np.empty(0, np.int64)
        return SimilarCues(len(queries), none, none, none, np.empty(0, np.float32))
    sources = None if file_ids is None else frozenset(embedded.ids[np.isin(embedded.file_ids, list(file_ids))].tolist())
    index = generation.index(space)
    nearest, layout = index.nearest(queries, k, sources), index.rows.layout
    query_numbers, ranks = np.nonzero((nearest.rows >= 0) & (nearest.scores >= min_scores[:, None]))
    rows = nearest.rows[query_numbers, ranks]
    places = layout.at(rows)
    return SimilarCues(
        query_count=len(queries),
        query_numbers=query_numbers,
        source_ids=layout.file_ids[places],
        cue_numbers=rows - layout.starts[places],
        scores=nearest.scores[query_numbers, ranks],
    )
