"""Cues by their meaning: those whose vectors are nearest to that of a question."""

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
class CuesFound:
    """Cues that are near to `queries` questions, best first for each: cue `numbers[i]` of source `source_ids[i]` was
    found by question `questions[i]`, columns [n]."""

    queries: int
    questions: RowIds
    source_ids: RowIds
    numbers: RowIds
    scores: npt.NDArray[np.float32]

    def read(self, connection: duckdb.DuckDBPyConnection) -> list[list[CueHit]]:
        """What these cues say, for each question; one that stands in two sources of a file comes once."""
        cues = cues_at(connection, self.source_ids, self.numbers)
        hits: list[dict[object, CueHit]] = [{} for _ in range(self.queries)]
        for at, (question, score) in enumerate(zip(self.questions.tolist(), self.scores.tolist(), strict=True)):
            if (found := cues.get(at)) is not None:
                mine = hits[question]
                mine.setdefault((found.file_id, found.cue), CueHit(found.file_id, found.cue, score, rank=len(mine) + 1))
        return [list(each.values()) for each in hits]


def find_cues(
    generation: Generation, queries: FloatArray, least: FloatArray, k: int, file_ids: frozenset[int] | None
) -> CuesFound:
    """The k best cues for each of `queries` [q, dim] that score at least `least` [q]; only in `file_ids` when given."""
    space, embedded = generation.snapshot.space(SpaceName.CUE), generation.snapshot.embedded
    if space is None or not len(embedded.ids):
        none = np.empty(0, np.int64)
        return CuesFound(len(queries), none, none, none, np.empty(0, np.float32))
    sources = None if file_ids is None else frozenset(embedded.ids[np.isin(embedded.file_ids, list(file_ids))].tolist())
    index = generation.index(space)
    nearest, layout = index.nearest(queries, k, sources), index.rows.layout
    questions, places = np.nonzero((nearest.rows >= 0) & (nearest.scores >= least[:, None]))
    rows = nearest.rows[questions, places]
    of = layout.at(rows)
    return CuesFound(
        len(queries), questions, layout.file_ids[of], rows - layout.starts[of], nearest.scores[questions, places]
    )
