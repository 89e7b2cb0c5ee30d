"""Shards that a repair takes out of the catalogue, with all that is needed to take them back.

Files with rows in them are marked to be indexed again. A file keeps its rows in other shards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace

import duckdb

from pesearch.store.catalogue.cue_extents import register_cue_shard
from pesearch.store.catalogue.mutations import register_shards
from pesearch.store.catalogue.temp_table import insert_temp
from pesearch.store.shards.format import FeatureShard, Shard, VectorShard
from pesearch.store.shards.records import WrittenShard
from pesearch.types import Space, SpaceName

LOST = "its indexed data was damaged on the disk: index it again"
"""Why a file with rows in a discarded shard is indexed again."""

_CONTENTS = """
    SELECT shard, fingerprint, first_row, rows FROM extents JOIN files ON id = file_id
    UNION ALL SELECT shard, fingerprint, first_row, rows FROM feature_extents JOIN files ON id = file_id
    UNION ALL SELECT shard, source_id::VARCHAR, first_row, rows FROM cue_extents"""

_LOCATION = {
    "fingerprint": "VARCHAR",
    "path": "BLOB",
    "size_bytes": "BIGINT",
    "modified_ns": "BIGINT",
    "reason": "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class MarkedLocation:
    """A location of the content `fingerprint`, as it was before it was marked to be indexed again."""

    fingerprint: str
    path: bytes
    size_bytes: int
    modified_ns: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Discarded:
    """Shards of the library `library_id`, which has these `spaces`, and the locations of the files in them.

    The contents of a shard in the space CUE are named by the id of their source, in decimal.
    """

    library_id: str
    spaces: tuple[Space, ...]
    shards: tuple[WrittenShard, ...]
    locations: tuple[MarkedLocation, ...]


def discard_shards(
    connection: duckdb.DuckDBPyConnection, library_id: str, spaces: Sequence[Space], shards: Collection[Shard]
) -> Discarded:
    """Remove shards from the catalogue, and mark the files in them to be indexed again. What was removed.

    Lost vectors of cues are embedded again from their text.
    """
    insert_temp(connection, "lost", {"name": "VARCHAR"}, [{"name": shard.name} for shard in shards])
    contents: dict[str, list[tuple[str, int, int]]] = {shard.name: [] for shard in shards}
    for name, *extent in connection.execute(
        f"SELECT * FROM ({_CONTENTS}) WHERE shard IN (SELECT name FROM lost) ORDER BY ALL"
    ).fetchall():
        contents[name].append((extent[0], extent[1], extent[2]))
    connection.execute("""
        CREATE TEMP TABLE lost_files AS SELECT file_id FROM extents WHERE shard IN (SELECT name FROM lost)
        UNION SELECT file_id FROM feature_extents WHERE shard IN (SELECT name FROM lost)""")
    locations = connection.execute("""
        SELECT fingerprint, path, size_bytes, modified_ns, reason FROM locations JOIN files ON id = file_id
        WHERE file_id IN (SELECT file_id FROM lost_files) AND NOT (size_bytes = 0 AND modified_ns = 0)
        ORDER BY path""").fetchall()
    for table in ("extents", "feature_extents", "cue_extents"):
        connection.execute(f"DELETE FROM {table} WHERE shard IN (SELECT name FROM lost)")
    connection.execute(
        """
        UPDATE locations SET size_bytes = 0, modified_ns = 0, reason = ?
        WHERE file_id IN (SELECT file_id FROM lost_files)""",
        [LOST],
    )
    written = tuple(WrittenShard(shard, tuple(contents[shard.name])) for shard in shards)
    return Discarded(library_id, tuple(spaces), written, tuple(MarkedLocation(*row) for row in locations))


def missing_contents(connection: duckdb.DuckDBPyConnection, discarded: Discarded) -> list[WrittenShard]:
    """Of discarded shards the rows that known files, and sources of cues of the same library, lack."""
    known = {row[0] for row in connection.execute("SELECT fingerprint FROM files").fetchall()}
    vectors = set(connection.execute("SELECT fingerprint, space FROM extents JOIN files ON id = file_id").fetchall())
    features = {
        row[0]
        for row in connection.execute("SELECT fingerprint FROM feature_extents JOIN files ON id = file_id").fetchall()
    }
    sources = set(
        connection.execute(
            """
        SELECT id::VARCHAR, cues FROM cue_sources, library
        WHERE id NOT IN (SELECT source_id FROM cue_extents) AND birth = ?""",
            [discarded.library_id],
        ).fetchall()
    )

    def is_missing(shard: Shard, content: str, rows: int) -> bool:
        if isinstance(shard, FeatureShard):
            return content in known and content not in features
        if _is_of_cues(shard):
            return (content, rows) in sources
        return content in known and (content, shard.space.value) not in vectors

    return [
        replace(each, contents=tuple(part for part in each.contents if is_missing(each.shard, part[0], part[2])))
        for each in discarded.shards
    ]


def restore_shards(connection: duckdb.DuckDBPyConnection, shards: Sequence[WrittenShard]) -> None:
    """Register shards again, with `missing_contents`."""
    register_shards(connection, [each for each in shards if not _is_of_cues(each.shard)])
    for each in shards:
        if isinstance(each.shard, VectorShard) and _is_of_cues(each.shard):
            extents = [(int(source_id), first_row, rows) for source_id, first_row, rows in each.contents]
            register_cue_shard(connection, each.shard, extents)


def _is_of_cues(shard: Shard) -> bool:
    return isinstance(shard, VectorShard) and shard.space is SpaceName.CUE


def unmark_locations(connection: duckdb.DuckDBPyConnection, locations: Iterable[MarkedLocation]) -> None:
    """Give locations that are still marked their size and time again: their files are not indexed again."""
    insert_temp(connection, "unmarked", _LOCATION, [asdict(location) for location in locations])
    connection.execute("""
        UPDATE locations SET size_bytes = known.size_bytes, modified_ns = known.modified_ns, reason = known.reason
        FROM (SELECT unmarked.*, id AS file_id FROM unmarked JOIN files USING (fingerprint)) AS known
        WHERE locations.path = known.path AND locations.file_id = known.file_id
        AND locations.size_bytes = 0 AND locations.modified_ns = 0""")
