"""Which windows of a file answer, and the hits that speak for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pesearch.search.calibrate import fuse
from pesearch.search.moments import Stretch
from pesearch.search.retrieve import Asked, Retrieved
from pesearch.search.score import SPACES, FileScores, ranges
from pesearch.types import Hit

KEPT_SHARE = 0.5
"""Windows of a file, and spaces of a window, that score under this share of the best do not count as evidence."""

Ranks = Sequence[dict[tuple[int, float, float], int]]
"""For each probe, the rank of each segment that it found: by file, start and end."""


def ranks_of(found: Retrieved) -> Ranks:
    """The ranks of all hits."""
    return [{(hit.file_id, hit.start_seconds, hit.end_seconds): hit.rank for hit in hits} for hits in found.hits]


def stretches_of(file: FileScores, asked: Asked, ranks: Ranks) -> Iterator[Stretch]:
    """The windows of a file that answer about as well as its best one, each with its evidence."""
    fused = fuse(file.certainties, asked.wholes)
    for cell in np.flatnonzero(fused >= KEPT_SHARE * fused.max()).tolist():
        start, end = file.cells[cell].tolist()
        if evidence := frozenset(_evidence(file, cell, asked, ranks)):
            yield Stretch(file.file.id, start, end, float(fused[cell]), evidence)


def _evidence(file: FileScores, cell: int, asked: Asked, ranks: Ranks) -> Iterator[Hit]:
    """The best segment of the cell in each space that speaks for it. What was not found ranks after what was."""
    sure = file.certainties[cell, : asked.wholes].max(axis=0)
    for space, scored in file.spaces.items():
        certain = sure[SPACES.index(space)]
        if not certain or certain < KEPT_SHARE * sure.max():
            continue
        first, stop = (int(edge[0]) for edge in ranges(file.cells[cell : cell + 1], scored.segments))
        best = first + int(np.argmax(scored.certainties[first:stop, : asked.wholes].max(axis=1)))
        start, end = scored.segments[best].tolist()
        known = ranks[int(scored.probes[best])]
        rank = known.get((file.file.id, start, end), len(known) + 1)
        yield Hit(file.file.id, space, start, end, float(scored.scores[best]), rank)
