"""Collections on Milvus, with the API that a cluster and Milvus Lite have in common.

A row is a float32 vector, since Milvus Lite has no 16-bit ones, its id and three numbers; the metric is the inner
product. Scores of Milvus are not used: a search returns a shortlist, and the vectors in the shards give the scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.milvus.client import Connection, connect
from pesearch.store.shards.row_ranges import RowIds
from pesearch.types import FloatArray, HalfArray, SegmentArray

if TYPE_CHECKING:
    from pymilvus import MilvusClient

SEARCH_SECONDS = 20.0
"""Timeout of a search."""

CHANGE_SECONDS = 300.0
"""Timeout of a change of a collection."""

INSERT_BYTES = 16 << 20
"""Maximum size of the vectors in one insert; Milvus accepts messages of four times that."""

MAX_HITS = 16_384
"""Maximum number of rows that one search of Milvus returns (its `limit`)."""

NLIST = 1024
"""Lists of an IVF index, in each segment of a collection: twice the square root of the 262,144 rows of 1024 dimensions
that fill a segment of 1 GiB. Milvus makes fewer for fewer rows."""


class IndexKind(StrEnum):
    """Index types of Milvus that are used: exhaustive, or inverted lists of 8-bit scalar-quantized vectors."""

    FLAT = "FLAT"
    IVF = "IVF_SQ8"


@dataclass(frozen=True, slots=True)
class MilvusCollection:
    """A collection of vectors of `dim` dimensions. Every method raises `VectorServerError`."""

    address: MilvusAddress
    name: str
    dim: int

    def create(self, kind: IndexKind) -> None:
        """Create it, empty; drops an existing collection of that name first."""
        with connect(self.address) as connection:
            from pymilvus import DataType, MilvusClient

            client = self._drop(connection)
            schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("id", DataType.INT64, is_primary=True)
            schema.add_field("file_id", DataType.INT64)
            schema.add_field("start_seconds", DataType.DOUBLE)
            schema.add_field("end_seconds", DataType.DOUBLE)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self.dim)
            indexes = MilvusClient.prepare_index_params()
            params = {"nlist": NLIST} if kind is IndexKind.IVF else {}
            indexes.add_index("vector", index_type=kind.value, metric_type="IP", params=params)
            indexes.add_index("file_id", index_type="INVERTED")
            client.create_collection(self.name, schema=schema, consistency_level="Bounded", timeout=CHANGE_SECONDS)
            # The collection is empty: waiting for its indexes would only cost half a second each.
            client.create_index(self.name, indexes, sync=False, timeout=CHANGE_SECONDS)
            connection.load(self.name)  # also for readers that have searched the one before

    def drop(self) -> None:
        """Drop it if it exists."""
        with connect(self.address) as connection:
            self._drop(connection)

    def count_rows(self) -> int | None:
        """The number of rows, with strong consistency; None when there is no such collection."""
        with connect(self.address) as connection:
            if not connection.client.has_collection(self.name, timeout=SEARCH_SECONDS):
                return None
            counted = connection.load(self.name).query(
                self.name,
                filter="",
                output_fields=["count(*)"],
                consistency_level="Strong",
                timeout=CHANGE_SECONDS,
            )
            return int(counted[0]["count(*)"])

    def insert(self, ids: RowIds, file_ids: RowIds, segments: SegmentArray, vectors: HalfArray) -> None:
        """Add rows: `ids` and `file_ids` int64 [n], `segments` in seconds [n, 2], `vectors` float16 [n, dim]."""
        with connect(self.address) as connection:
            step = max(1, INSERT_BYTES // (4 * self.dim))
            for start in range(0, len(ids), step):
                batch = slice(start, start + step)
                columns = zip(
                    ids[batch].tolist(),
                    file_ids[batch].tolist(),
                    segments[batch].tolist(),
                    vectors[batch].astype(np.float32),
                    strict=True,
                )
                rows = [
                    {"id": row, "file_id": file_id, "start_seconds": start, "end_seconds": end, "vector": vector}
                    for row, file_id, (start, end), vector in columns
                ]
                connection.client.insert(self.name, rows, timeout=CHANGE_SECONDS)

    def delete(self, file_ids: Sequence[int]) -> None:
        """Delete the rows of files."""
        with connect(self.address) as connection:
            client = connection.load(self.name)
            for start in range(0, len(file_ids), MAX_HITS):
                batch = list(file_ids[start : start + MAX_HITS])
                client.delete(self.name, filter=f"file_id in {batch}", timeout=CHANGE_SECONDS)

    def flush(self) -> None:
        """Write the rows that were added to disk, and index them."""
        with connect(self.address) as connection:
            connection.client.flush(self.name, timeout=CHANGE_SECONDS)

    def search(
        self, queries: FloatArray, limit: int, expression: str, nprobe_share: float | None, *, strong: bool
    ) -> RowIds:
        """The ids of about the top `limit` rows of each query that match `expression`: int64 [q, limit], padded with
        -1.

        `nprobe_share` is the share of the lists of an IVF index to probe, None for other indexes. `strong` requires
        strong consistency: the search waits until it sees all earlier writes.
        """
        params = {} if nprobe_share is None else {"nprobe": ceil(nprobe_share * NLIST)}
        with connect(self.address) as connection:
            found = connection.load(self.name).search(
                self.name,
                data=list(queries),
                limit=limit,
                filter=expression,
                output_fields=["id"],  # else Milvus Lite sends the vectors too
                search_params={"metric_type": "IP", "params": params},
                consistency_level="Strong" if strong else "Bounded",
                timeout=SEARCH_SECONDS,
            )
        ids = np.full((len(queries), limit), -1, dtype=np.int64)
        for row, hits in zip(ids, found, strict=True):
            row[: len(hits)] = [hit["id"] for hit in hits]
        return ids

    def _drop(self, connection: Connection) -> MilvusClient:
        if connection.client.has_collection(self.name, timeout=SEARCH_SECONDS):
            connection.client.drop_collection(self.name, timeout=CHANGE_SECONDS)
        connection.loaded.discard(self.name)
        return connection.client
