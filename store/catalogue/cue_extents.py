"""Vectors of cues, in shards of the space CUE. The vectors of a source are contiguous: one per cue, in its order.

A source takes the place of a media file in these row ranges: its content never changes, and a source that is read
again gets a new id. So cue vectors are searched, compacted, swept and checked by the code for media vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import duckdb
import numpy as np

from pesearch.store.catalogue.cues import CueSources, RowIds, StoredCue, cue_from_row, read_sources
from pesearch.store.catalogue.temp_table import insert_temp
from pesearch.store.shards.format import VectorShard

_SHARD = {
    "name": "VARCHAR",
    "space": "VARCHAR",
    "rows": "BIGINT",
    "size_bytes": "BIGINT",
    "checksum": "VARCHAR",
}
_EXTENT = {"source_id": "BIGINT", "shard": "VARCHAR", "first_row": "BIGINT", "rows": "BIGINT"}


def add_cue_vectors(
    connection: duckdb.DuckDBPyConnection, shard: VectorShard, sources: Sequence[tuple[int, int]]
) -> None:
    """Register a shard that holds the rows of `sources`, (source id, rows), in this order.

    Sources that have vectors already, were removed, or have another number of cues are left out.
    """
    firsts = np.cumsum([0, *(rows for _, rows in sources)]).tolist()
    extents = [(source_id, first, rows) for (source_id, rows), first in zip(sources, firsts, strict=False)]
    register_cue_shard(connection, shard, extents)


def register_cue_shard(
    connection: duckdb.DuckDBPyConnection, shard: VectorShard, extents: Sequence[tuple[int, int, int]]
) -> None:
    """As `add_cue_vectors`, with rows anywhere in the shard: (source id, first row, rows)."""
    rows = [
        {"source_id": source_id, "shard": shard.name, "first_row": first_row, "rows": count}
        for source_id, first_row, count in extents
    ]
    insert_temp(connection, "embedded_shards", _SHARD, [asdict(shard)])
    insert_temp(connection, "embedded", _EXTENT, rows)
    connection.execute("INSERT INTO shards BY NAME SELECT * FROM embedded_shards")
    connection.execute("""
        INSERT INTO cue_extents BY NAME SELECT embedded.* FROM embedded JOIN cue_sources ON source_id = id
        WHERE rows = cues AND source_id NOT IN (SELECT source_id FROM cue_extents)""")


def drop_unused_cue_vectors(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove the vectors of sources that were removed."""
    connection.execute("DELETE FROM cue_extents WHERE source_id NOT IN (SELECT id FROM cue_sources)")


def sources_without_vectors(connection: duckdb.DuckDBPyConnection) -> CueSources:
    """Sources whose cues are not embedded yet."""
    return read_sources(connection, "cues > 0 AND id NOT IN (SELECT source_id FROM cue_extents)")


def sources_with_vectors(connection: duckdb.DuckDBPyConnection) -> CueSources:
    """Sources whose cues are embedded: they can be searched by meaning."""
    return read_sources(connection, "id IN (SELECT source_id FROM cue_extents)")


def cues_at(connection: duckdb.DuckDBPyConnection, source_ids: RowIds, numbers: RowIds) -> dict[int, StoredCue]:
    """Cue number `numbers[i]` (from 0) of source `source_ids[i]`, by i. Removed ones are left out."""
    rows = connection.execute(
        """
        WITH wanted AS (
            SELECT unnest($1::BIGINT[]) AS place, unnest($2::BIGINT[]) AS source_id, unnest($3::BIGINT[]) AS number),
        numbered AS (
            SELECT rowid AS cue, source_id, row_number() OVER (PARTITION BY source_id ORDER BY rowid) - 1 AS number
            FROM cues WHERE source_id IN (SELECT source_id FROM wanted)),
        found AS (SELECT place, cue FROM wanted JOIN numbered USING (source_id, number))
        SELECT place, source_id, file_id, start_seconds, end_seconds, text, kind, source, language
        FROM found JOIN cues ON cues.rowid = cue JOIN cue_sources ON source_id = id""",
        [list(range(len(numbers))), source_ids.tolist(), numbers.tolist()],
    ).fetchall()
    return {at: StoredCue(source_id, file_id, cue_from_row(*row)) for at, source_id, file_id, *row in rows}
