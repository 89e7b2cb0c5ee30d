"""Searching the collection of a space on a Milvus: it makes a shortlist, and the shards give the exact scores."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from pesearch.errors import VectorServerError
from pesearch.store.index.flat import Nearest, rescored, scan
from pesearch.store.index.ivf_rabitq import probed_share
from pesearch.store.index.mapped_rows import Rows
from pesearch.store.index.milvus.collection import MOST_HITS, IndexKind, MilvusCollection
from pesearch.store.index.milvus.filters import expressions, rows_of_ids
from pesearch.store.index.milvus.manifest import Manifest, SpaceOnMilvus
from pesearch.store.shards.row_ranges import RowIds, RowMask, RowRanges
from pesearch.types import FloatArray

SHORTLIST, SHORTLIST_A_HIT = 100, 2
"""How many rows that lists of 8-bit numbers have found get an exact score: at least so many, and so many for each hit
that is asked for."""

FLAT_MORE = 16
"""So many more than are asked for, of what was searched exactly: its last bits may differ from ours."""

BOUNDED_SECONDS = 60.0
"""What was written so long ago is seen by every search of the level `Bounded`, for which Milvus allows 5 s as it is
installed. Before that a search waits for it (`Strong`), for up to a fifth of a second."""


@dataclass(frozen=True, slots=True, eq=False)
class MilvusIndex:
    """What covers the files of a cover that was written at `written`, in seconds of Unix time."""

    collection: MilvusCollection
    cover: Manifest
    written: float

    @property
    def layout(self) -> RowRanges:
        """The files that it covers."""
        return self.cover.layout

    def search(self, rows: Rows, queries: FloatArray, k: int, chosen: RowMask) -> Nearest:
        """The k best rows of those files that are `chosen` [files of the space] and covered; k at most their number.

        As few as would be on the shortlist anyway, or more than Milvus finds at once, are read from the shards instead.
        """
        places = rows.layout.find(self.layout)
        files = (places >= 0) & chosen[places]
        chosen_rows = int(self.layout.counts[files].sum())
        length = k + FLAT_MORE if self.cover.kind is IndexKind.FLAT else max(SHORTLIST, SHORTLIST_A_HIT * k)
        if chosen_rows <= length or length > MOST_HITS:
            covered = np.zeros(len(rows.layout.file_ids), dtype=np.bool_)
            covered[places[files]] = True
            return scan(rows, np.flatnonzero(rows.layout.mark(covered)), queries, k)
        wanted = self.layout.file_ids[files]
        share = probed_share(length, chosen_rows, self.layout.rows)
        shortlist = self._shortlist(rows.layout, queries, length, wanted, share)
        if ((shortlist >= 0).sum(axis=1) < k).any():
            shortlist = self._shortlist(rows.layout, queries, length, wanted, 1.0)
        if ((shortlist >= 0).sum(axis=1) < k).any():
            raise VectorServerError(
                f"The collection {self.collection.name} on {self.collection.address} holds less than it should: "
                "`pesearch gc` fills it again"
            )
        return rescored(rows, shortlist, queries, k)

    def _shortlist(self, layout: RowRanges, queries: FloatArray, length: int, wanted: RowIds, share: float) -> RowIds:
        """Rows [q, n] of the space, of the files that are wanted; -1 where none."""
        probed = share if self.cover.kind is IndexKind.LISTS else None
        see_all = time.time() - self.written < BOUNDED_SECONDS
        ids = [
            self.collection.nearest(queries, length, expression, probed, see_all=see_all)
            for expression in expressions(wanted, self.cover.held)
        ]
        file_ids, numbers = rows_of_ids(np.concatenate(ids, axis=1))
        places = np.searchsorted(layout.file_ids, file_ids).clip(max=len(layout.file_ids) - 1)
        known = np.isin(file_ids, wanted) & (numbers < layout.counts[places])
        return np.where(known, layout.starts[places] + numbers, -1)


def open_milvus(held: SpaceOnMilvus) -> MilvusIndex | None:
    """What a collection covers, ready to be searched; None when it is not known to cover anything."""
    cover = held.read()
    return None if cover is None else MilvusIndex(held.collection, cover, held.path.stat().st_mtime)
