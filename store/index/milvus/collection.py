"""Collections on a Milvus: a cluster and Milvus Lite are asked in the same way.

What is asked is plain: 32-bit vectors and the inner product, because Milvus Lite has no 16-bit ones; an id, and three
numbers beside each vector. Scores are not used: what is found is a shortlist, and the shards give the scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.milvus.client import Connected, asked
from pesearch.store.shards.row_ranges import RowIds
from pesearch.types import FloatArray, HalfArray, SegmentArray

if TYPE_CHECKING:
    from pymilvus import MilvusClient

ANSWER_SECONDS, CHANGE_SECONDS = 20.0, 300.0
"""How long is waited for an answer, and for a change of a collection."""

MESSAGE_BYTES = 16 << 20
"""So many bytes of vectors are sent at a time: Milvus takes four times as many."""

MOST_HITS = 16_384
"""Milvus finds no more than so many rows at once."""

LISTS = 1024
"""Lists of an IVF index, in each of a collection's segments: twice the root of the 262,144 rows of 1024 numbers that
fill one of 1 GiB. Milvus takes fewer where there are fewer rows."""


class IndexKind(StrEnum):
    """How Milvus searches a collection: all of it, or by inverted lists of 8-bit numbers."""

    FLAT = "FLAT"
    LISTS = "IVF_SQ8"


@dataclass(frozen=True, slots=True)
class MilvusCollection:
    """A collection of vectors [dim]. Every method raises `VectorServerError`."""

    address: MilvusAddress
    name: str
    dim: int

    def create(self, kind: IndexKind) -> None:
        """Make it anew and empty, whatever was there."""
        with asked(self.address) as connected:
            from pymilvus import DataType, MilvusClient

            client = self._dropped(connected)
            schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("id", DataType.INT64, is_primary=True)
            schema.add_field("file_id", DataType.INT64)
            schema.add_field("start_seconds", DataType.DOUBLE)
            schema.add_field("end_seconds", DataType.DOUBLE)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self.dim)
            indexes = MilvusClient.prepare_index_params()
            params = {"nlist": LISTS} if kind is IndexKind.LISTS else {}
            indexes.add_index("vector", index_type=kind.value, metric_type="IP", params=params)
            indexes.add_index("file_id", index_type="INVERTED")
            client.create_collection(self.name, schema=schema, consistency_level="Bounded", timeout=CHANGE_SECONDS)
            # It is empty: to wait for its indexes would only take time, half a second for each.
            client.create_index(self.name, indexes, sync=False, timeout=CHANGE_SECONDS)
            connected.loading(self.name)  # for readers too that have searched the one before

    def drop(self) -> None:
        """Leave nothing of it."""
        with asked(self.address) as connected:
            self._dropped(connected)

    def rows(self) -> int | None:
        """How many rows it has, all that was written counted; None when it is not there."""
        with asked(self.address) as connected:
            if not connected.client.has_collection(self.name, timeout=ANSWER_SECONDS):
                return None
            counted = connected.loading(self.name).query(
                self.name,
                filter="",
                output_fields=["count(*)"],
                consistency_level="Strong",
                timeout=CHANGE_SECONDS,
            )
            return int(counted[0]["count(*)"])

    def insert(self, ids: RowIds, file_ids: RowIds, segments: SegmentArray, vectors: HalfArray) -> None:
        """Add rows: ids and file_ids int64 [n], segments in seconds [n, 2], vectors float16 [n, dim]."""
        with asked(self.address) as connected:
            step = max(1, MESSAGE_BYTES // (4 * self.dim))
            for start in range(0, len(ids), step):
                some = slice(start, start + step)
                columns = zip(
                    ids[some].tolist(),
                    file_ids[some].tolist(),
                    segments[some].tolist(),
                    vectors[some].astype(np.float32),
                    strict=True,
                )
                rows = [
                    {"id": row, "file_id": file_id, "start_seconds": start, "end_seconds": end, "vector": vector}
                    for row, file_id, (start, end), vector in columns
                ]
                connected.client.insert(self.name, rows, timeout=CHANGE_SECONDS)

    def delete(self, file_ids: Sequence[int]) -> None:
        """Take out the rows of files."""
        with asked(self.address) as connected:
            client = connected.loading(self.name)
            for start in range(0, len(file_ids), MOST_HITS):
                some = list(file_ids[start : start + MOST_HITS])
                client.delete(self.name, filter=f"file_id in {some}", timeout=CHANGE_SECONDS)

    def flush(self) -> None:
        """Bring what was added to the disk, and under the index."""
        with asked(self.address) as connected:
            connected.client.flush(self.name, timeout=CHANGE_SECONDS)

    def nearest(
        self, queries: FloatArray, length: int, expression: str, probed_share: float | None, *, see_all: bool
    ) -> RowIds:
        """The ids int64 [q, length] of about the best rows for each query, -1 where none, where `expression` holds.

        Of an index of lists a search looks into `probed_share`; None of one that has none. With `see_all` it waits for
        all that was written before.
        """
        params = {} if probed_share is None else {"nprobe": ceil(probed_share * LISTS)}
        with asked(self.address) as connected:
            found = connected.loading(self.name).search(
                self.name,
                data=list(queries),
                limit=length,
                filter=expression,
                output_fields=["id"],  # else Milvus Lite sends the vectors too
                search_params={"metric_type": "IP", "params": params},
                consistency_level="Strong" if see_all else "Bounded",
                timeout=ANSWER_SECONDS,
            )
        ids = np.full((len(queries), length), -1, dtype=np.int64)
        for row, hits in zip(ids, found, strict=True):
            row[: len(hits)] = [hit["id"] for hit in hits]
        return ids

    def _dropped(self, connected: Connected) -> MilvusClient:
        """The client, after the collection was dropped, if it was there."""
        if connected.client.has_collection(self.name, timeout=ANSWER_SECONDS):
            connected.client.drop_collection(self.name, timeout=CHANGE_SECONDS)
        connected.loaded.discard(self.name)
        return connected.client
