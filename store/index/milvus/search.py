"""Search in the collection of a space: Milvus makes a shortlist, and the vectors in the shards give exact scores."""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import sqrt

import numpy as np

from pesearch.errors import VectorServerError
from pesearch.store.index.flat import Nearest, rescore, scan
from pesearch.store.index.mapped_rows import MappedRows
from pesearch.store.index.milvus.collection import MAX_HITS, IndexKind, MilvusCollection
from pesearch.store.index.milvus.filters import filter_expressions, split_keys
from pesearch.store.index.milvus.manifest import Manifest, SpaceOnMilvus
from pesearch.store.shards.row_ranges import RowIds, RowMask, RowRanges
from pesearch.types import FloatArray

MIN_IVF_SHORTLIST = 100
"""Minimum number of rows from an IVF index of 8-bit vectors that are rescored for a query."""

IVF_K_FACTOR = 2
"""Rows that are rescored per hit requested."""

NPROBE_SHARE = 1 / 12
"""Share of the lists of an IVF index that a search probes (`nprobe` / `nlist`)."""

FLAT_EXTRA_ROWS = 16
"""Rows that are rescored beyond k of an exact search by Milvus, whose scores may differ from ours in the last bits."""

BOUNDED_AFTER_SECONDS = 60.0
"""Age from which writes are visible to searches with `Bounded` consistency, whose default staleness in Milvus is 5 s.
For newer writes a search uses `Strong` consistency and waits up to 0.2 s."""


@dataclass(frozen=True, slots=True, eq=False)
class MilvusIndex:
    """An index over the files of a manifest, which was written at `written_at`, in seconds of Unix time."""

    collection: MilvusCollection
    manifest: Manifest
    written_at: float

    @property
    def layout(self) -> RowRanges:
        """The files that it covers."""
        return self.manifest.layout

    def search(self, rows: MappedRows, queries: FloatArray, k: int, selected: RowMask) -> Nearest:
        """The top k among the `selected` files [files of the space] that this index covers, with exact scores.

        k is at most the number of their rows. Milvus is not asked when all of these rows fit on the shortlist, or when
        that is longer than MAX_HITS: they are read from the shards instead.
        """
        places = rows.layout.find(self.layout)
        files = (places >= 0) & selected[places]
        selected_rows = int(self.layout.counts[files].sum())
        is_flat = self.manifest.kind is IndexKind.FLAT
        length = k + FLAT_EXTRA_ROWS if is_flat else max(MIN_IVF_SHORTLIST, IVF_K_FACTOR * k)
        if selected_rows <= length or length > MAX_HITS:
            covered = np.zeros(len(rows.layout.file_ids), dtype=np.bool_)
            covered[places[files]] = True
            return scan(rows, np.flatnonzero(rows.layout.mark(covered)), queries, k)
        wanted = self.layout.file_ids[files]
        share = nprobe_share(length, selected_rows, self.layout.rows)
        shortlist = self._shortlist(rows.layout, queries, length, wanted, share)
        if ((shortlist >= 0).sum(axis=1) < k).any():
            shortlist = self._shortlist(rows.layout, queries, length, wanted, 1.0)
        if ((shortlist >= 0).sum(axis=1) < k).any():
            raise VectorServerError(
                f"The collection {self.collection.name} on {self.collection.address} lacks rows that it should have: "
                "`pesearch gc` fills it again"
            )
        return rescore(rows, shortlist, queries, k)

    def _shortlist(self, layout: RowRanges, queries: FloatArray, length: int, wanted: RowIds, share: float) -> RowIds:
        """Row ids of the space [q, n] in the `wanted` files, padded with -1."""
        ivf_share = share if self.manifest.kind is IndexKind.IVF else None
        strong = time.time() - self.written_at < BOUNDED_AFTER_SECONDS
        keys = [
            self.collection.search(queries, length, expression, ivf_share, strong=strong)
            for expression in filter_expressions(wanted, self.manifest.stored)
        ]
        file_ids, numbers = split_keys(np.concatenate(keys, axis=1))
        places = np.searchsorted(layout.file_ids, file_ids).clip(max=len(layout.file_ids) - 1)
        known = np.isin(file_ids, wanted) & (numbers < layout.counts[places])
        return np.where(known, layout.starts[places] + numbers, -1)


def nprobe_share(length: int, selected_rows: int, rows: int) -> float:
    """The share of the lists to probe for a shortlist of `length`, when `selected_rows` of all `rows` pass the filter.

    Fewer selected rows are spread over more lists, but not evenly: hence the square root of their share.
    """
    return min(max(NPROBE_SHARE / sqrt(selected_rows / rows), 2 * length / selected_rows), 1.0)


def open_milvus_index(on_milvus: SpaceOnMilvus) -> MilvusIndex | None:
    """The index of a space on Milvus; None when it has no usable manifest."""
    manifest = on_milvus.read_manifest()
    if manifest is None:
        return None
    return MilvusIndex(on_milvus.collection, manifest, on_milvus.path.stat().st_mtime)
