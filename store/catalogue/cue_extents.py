"""The vectors of cues, in shards of the space CUE: those of a source lie together, one a cue, in the order of its cues.

In their layouts a source stands where a file does for media: what it holds never changes either, and what is read again
comes as another. So they are searched, merged, swept and examined as vectors of media are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import duckdb
import numpy as np

from pesearch.store.catalogue.cues import CueSources, FoundIn, RowIds, cue_of, read_sources
from pesearch.store.catalogue.extents import Extents, vector_extents
from pesearch.store.catalogue.temp_table import insert_temp
from pesearch.store.shards.format import VectorShard
from pesearch.types import SpaceName

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
    """Register a shard, which holds (source, rows) one after the other."""
    firsts = np.cumsum([0, *(rows for _, rows in sources)]).tolist()
    extents = [
        {"source_id": source_id, "shard": shard.name, "first_row": first, "rows": rows}
        for (source_id, rows), first in zip(sources, firsts, strict=False)
    ]
    insert_temp(connection, "embedded_shards", _SHARD, [asdict(shard)])
    insert_temp(connection, "embedded", _EXTENT, extents)
    connection.execute("INSERT INTO shards BY NAME SELECT * FROM embedded_shards")
    connection.execute("""
        INSERT INTO cue_extents BY NAME SELECT embedded.* FROM embedded JOIN cue_sources ON source_id = id
        WHERE rows = cues AND source_id NOT IN (SELECT source_id FROM cue_extents)""")


def drop_unused_cue_vectors(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget the vectors of sources that are gone."""
    connection.execute("DELETE FROM cue_extents WHERE source_id NOT IN (SELECT id FROM cue_sources)")


def sources_without_vectors(connection: duckdb.DuckDBPyConnection) -> CueSources:
    """The sources whose cues wait to be embedded."""
    return read_sources(connection, "cues > 0 AND id NOT IN (SELECT source_id FROM cue_extents)")


def sources_with_vectors(connection: duckdb.DuckDBPyConnection) -> CueSources:
    """The sources that can be searched by meaning."""
    return read_sources(connection, "id IN (SELECT source_id FROM cue_extents)")


def read_cue_extents(connection: duckdb.DuckDBPyConnection) -> Extents[VectorShard]:
    """The extents of the vectors of cues, by source."""
    return vector_extents(
        connection,
        SpaceName.CUE,
        """
        SELECT source_id AS file_id, shards.rowid AS shard_number, first_row, cue_extents.rows AS rows
        FROM cue_extents JOIN shards ON shard = name ORDER BY source_id""",
    )


def cues_at(connection: duckdb.DuckDBPyConnection, source_ids: RowIds, numbers: RowIds) -> dict[int, FoundIn]:
    """The cues that are number `numbers[i]` of source `source_ids[i]`, by i; without those that are gone."""
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
    return {place: FoundIn(source_id, file_id, cue_of(*row)) for place, source_id, file_id, *row in rows}
