"""Changes to the catalogue inside a transaction: SQL over rows that are first inserted into temporary tables."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from pesearch.audio_track import AudioTrack
from pesearch.errors import LibraryDamaged, LibraryError
from pesearch.locations import Location
from pesearch.store.catalogue.cue_extents import drop_unused_cue_vectors
from pesearch.store.catalogue.cues import drop_unused_cues, store_cues
from pesearch.store.catalogue.properties import drop_unused_properties, store_properties
from pesearch.store.catalogue.remarks import drop_unused_remarks, store_remarks
from pesearch.store.catalogue.schema import AUDIO_TRACK_SETTING, ROLLED_BACK_SETTING, VECTORS_SETTING
from pesearch.store.catalogue.temp_table import escape_undecodable, insert_temp
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.shards.format import FeatureShard, Shard, VectorShard
from pesearch.store.shards.records import MergedShard, StreamedFile, WrittenShard
from pesearch.types import EncodedFile, Failure, SpaceName
from pesearch.volume import Volume

_PATH = {"path": "BLOB"}
_FILE_ID = {"file_id": "BIGINT"}
_LOCATION = {**_PATH, "size_bytes": "BIGINT", "modified_ns": "BIGINT", "volume": "VARCHAR", "inode": "UBIGINT"}
_VOLUME = {"name": "VARCHAR", "mount_point": "BLOB"}
_ENCODED = {
    **_LOCATION,
    "fingerprint": "VARCHAR",
    "kind": "VARCHAR",
    "duration_seconds": "DOUBLE",
    "video": "STRUCT(codec VARCHAR, width INTEGER, height INTEGER, frames_per_second DOUBLE)",
    "audio": "STRUCT(codec VARCHAR, sample_rate INTEGER, channels INTEGER)",
}
_SIZE = {"rows": "BIGINT", "size_bytes": "BIGINT", "checksum": "VARCHAR"}
_MOVE = {"shard": "VARCHAR", "first_row": "BIGINT", "new_row": "BIGINT"}
_EXTENT = {"fingerprint": "VARCHAR", "shard": "VARCHAR", "first_row": "BIGINT", "rows": "BIGINT"}


@dataclass(frozen=True, slots=True)
class _Tables:
    """The two tables of a kind of shard, with the types of the columns to insert: shards, and the extents of files."""

    shards: str
    shard_types: Mapping[str, str]
    extents: str
    extent_types: Mapping[str, str]


_VECTORS = _Tables(
    "shards", {"name": "VARCHAR", "space": "VARCHAR", **_SIZE}, "extents", {**_EXTENT, "space": "VARCHAR"}
)
_CUES = _Tables("shards", _VECTORS.shard_types, "cue_extents", {})
_FEATURES = _Tables(
    "feature_shards", {"name": "VARCHAR", "codec": "VARCHAR", "dim": "INTEGER", **_SIZE}, "feature_extents", _EXTENT
)


def add_files(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[EncodedFile | StreamedFile],
    written: Sequence[WrittenShard],
) -> None:
    """Register files, their locations, shards and remarks. Known content keeps its vectors and features, and gets those
    of the spaces in which it has none.

    Locations of content that was marked for re-indexing (size and time 0) are removed: the next scan adds them.
    """
    insert_temp(connection, "encoded", _ENCODED, [_encoded_row(file) for file in files])
    connection.execute("""
        INSERT INTO files (fingerprint, kind, duration_seconds, video, audio)
        SELECT DISTINCT ON (fingerprint) fingerprint, kind, duration_seconds, video, audio FROM encoded
        WHERE fingerprint NOT IN (SELECT fingerprint FROM files) ORDER BY encoded.rowid""")
    register_shards(connection, written)
    connection.execute("""
        DELETE FROM locations WHERE path IN (SELECT path FROM encoded)
        OR (size_bytes = 0 AND modified_ns = 0
            AND file_id IN (SELECT id FROM files JOIN encoded USING (fingerprint)))""")
    connection.execute("""
        INSERT INTO locations BY NAME
        SELECT path, size_bytes, modified_ns, volume, inode, files.id AS file_id
        FROM encoded JOIN files USING (fingerprint)""")
    store_remarks(connection, {file.fingerprint: file.remarks for file in files})
    if any(file.cues or file.properties for file in files):
        rows = connection.execute("SELECT fingerprint, id FROM files JOIN encoded USING (fingerprint)").fetchall()
        ids: dict[str, int] = dict(rows)
        store_cues(connection, [(ids[file.fingerprint], source) for file in files for source in file.cues])
        store_properties(connection, [(ids[file.fingerprint], file.properties) for file in files if file.properties])


def set_locations(connection: duckdb.DuckDBPyConnection, located: Sequence[tuple[int, Location]]) -> None:
    """Set which file is at each location. Raises LibraryError for an unknown file id."""
    insert_temp(
        connection,
        "placed",
        _LOCATION | _FILE_ID,
        [{**_location_row(location), "file_id": file_id} for file_id, location in located],
    )
    unknown = connection.execute("SELECT file_id FROM placed WHERE file_id NOT IN (SELECT id FROM files)").fetchone()
    if unknown is not None:
        raise LibraryError(f"The library has no file {unknown[0]}")
    connection.execute("DELETE FROM locations WHERE path IN (SELECT path FROM placed)")
    connection.execute("INSERT INTO locations BY NAME SELECT * FROM placed")


def record_volumes(connection: duckdb.DuckDBPyConnection, volumes: Sequence[Volume]) -> None:
    """Store where volumes are mounted now."""
    rows = [{"name": volume.name, "mount_point": os.fsencode(volume.mount_point)} for volume in volumes]
    insert_temp(connection, "seen", _VOLUME, rows)
    connection.execute("DELETE FROM volumes WHERE name IN (SELECT name FROM seen)")
    connection.execute("INSERT INTO volumes BY NAME SELECT * FROM seen")


def record_failures(connection: duckdb.DuckDBPyConnection, failures: Sequence[Failure]) -> None:
    """Store why paths could not be indexed. A path with the same size and time as before keeps its file."""
    rows = [{**_location_row(failure.location), "reason": escape_undecodable(failure.reason)} for failure in failures]
    insert_temp(connection, "failed", _LOCATION | {"reason": "VARCHAR"}, rows)
    connection.execute("""
        CREATE TEMP TABLE failed_locations AS
        SELECT failed.*, locations.file_id FROM failed LEFT JOIN locations USING (path, size_bytes, modified_ns)""")
    connection.execute("DELETE FROM locations WHERE path IN (SELECT path FROM failed)")
    connection.execute("INSERT INTO locations BY NAME SELECT * FROM failed_locations")


def forget_locations(connection: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> None:
    """Remove paths, but not the last path of a file: the file is then offline, not removed."""
    insert_temp(connection, "forgotten", _PATH, [{"path": os.fsencode(path)} for path in paths])
    connection.execute("""
        DELETE FROM locations WHERE path IN (SELECT path FROM forgotten) AND (file_id IS NULL OR file_id IN (
            SELECT file_id FROM locations WHERE file_id IS NOT NULL AND path NOT IN (SELECT path FROM forgotten)))""")


def remove_files(connection: duckdb.DuckDBPyConnection, file_ids: Iterable[int]) -> None:
    """Remove files with all their locations. Unknown ids are ignored."""
    insert_temp(connection, "removed", _FILE_ID, [{"file_id": file_id} for file_id in file_ids])
    connection.execute("DELETE FROM locations WHERE file_id IN (SELECT file_id FROM removed)")


def register_merged_shard(connection: duckdb.DuckDBPyConnection, merged: MergedShard) -> None:
    """Register a merged shard, and let extents refer to it instead of the shards that it replaces."""
    tables = _tables_of(merged.shard)
    insert_temp(connection, "merged", tables.shard_types, [asdict(merged.shard)])
    insert_temp(connection, "moves", _MOVE, [asdict(move) for move in merged.moves])
    connection.execute(f"INSERT INTO {tables.shards} BY NAME SELECT * FROM merged")
    connection.execute(
        f"""
        UPDATE {tables.extents} SET shard = ?, first_row = moves.new_row FROM moves
        WHERE {tables.extents}.shard = moves.shard AND {tables.extents}.first_row = moves.first_row""",
        [merged.shard.name],
    )


def rename_library(connection: duckdb.DuckDBPyConnection, library_id: str, last_generation: int) -> None:
    """Give a library that lost its last commits a new id, so that readers drop what they cached of the old one."""
    connection.execute(
        "UPDATE library SET birth = ?, generation = greatest(generation, ?) + 1", [library_id, last_generation]
    )
    connection.execute("DELETE FROM settings WHERE name = ?", [ROLLED_BACK_SETTING])
    connection.execute("INSERT INTO settings VALUES (?, ?)", [ROLLED_BACK_SETTING, str(time.time_ns())])


def rolled_back_ns(connection: duckdb.DuckDBPyConnection) -> int:
    """When the library last lost commits, in nanoseconds since the epoch; 0 for never. Shards from before may be those
    of lost commits."""
    row = connection.execute("SELECT value FROM settings WHERE name = ?", [ROLLED_BACK_SETTING]).fetchone()
    return int(row[0]) if row else 0


def record_compared_copies(connection: duckdb.DuckDBPyConnection, file_ids: Iterable[int]) -> None:
    """Note that the locations of these files have been compared."""
    insert_temp(connection, "compared", _FILE_ID, [{"file_id": file_id} for file_id in file_ids])
    connection.execute("DELETE FROM uncompared_copies WHERE file_id IN (SELECT file_id FROM compared)")


def set_vector_backend(connection: duckdb.DuckDBPyConnection, milvus: MilvusAddress | None) -> None:
    """Set the vector search backend: a Milvus, or FAISS (None)."""
    _set(connection, VECTORS_SETTING, milvus)


def set_audio_track(connection: duckdb.DuckDBPyConnection, track: AudioTrack | None) -> None:
    """Set the audio track that is searched, or the one that players choose (None)."""
    _set(connection, AUDIO_TRACK_SETTING, track)


def _set(connection: duckdb.DuckDBPyConnection, name: str, value: MilvusAddress | AudioTrack | None) -> None:
    connection.execute("DELETE FROM settings WHERE name = ?", [name])
    if value is not None:
        connection.execute("INSERT INTO settings VALUES (?, ?)", [name, str(value)])


def raise_generation(connection: duckdb.DuckDBPyConnection) -> int:
    """Finish a change: remove what no location refers to, and increment the generation. The new generation."""
    connection.execute("""
        DELETE FROM files WHERE id NOT IN (SELECT file_id FROM locations WHERE file_id IS NOT NULL)""")
    drop_unused_cues(connection)
    drop_unused_cue_vectors(connection)
    drop_unused_remarks(connection)
    drop_unused_properties(connection)
    for tables in (_VECTORS, _FEATURES):
        connection.execute(f"DELETE FROM {tables.extents} WHERE file_id NOT IN (SELECT id FROM files)")
    connection.execute("""
        DELETE FROM shards WHERE name NOT IN (SELECT shard FROM extents UNION ALL SELECT shard FROM cue_extents)""")
    connection.execute("DELETE FROM feature_shards WHERE name NOT IN (SELECT shard FROM feature_extents)")
    row = connection.execute("UPDATE library SET generation = generation + 1 RETURNING generation").fetchone()
    if row is None:
        raise LibraryDamaged("The catalogue of the library is empty: run `pesearch doctor --repair`")
    return int(row[0])


def _tables_of(shard: Shard) -> _Tables:
    if isinstance(shard, FeatureShard):
        return _FEATURES
    return _CUES if shard.space is SpaceName.CUE else _VECTORS


def register_shards(connection: duckdb.DuckDBPyConnection, written: Sequence[WrittenShard]) -> None:
    """Register shards of media, and their extents for known files that have none of this kind and space yet."""
    _register(connection, _VECTORS, [each for each in written if isinstance(each.shard, VectorShard)])
    _register(connection, _FEATURES, [each for each in written if isinstance(each.shard, FeatureShard)])


def _register(connection: duckdb.DuckDBPyConnection, tables: _Tables, written: Sequence[WrittenShard]) -> None:
    """Register shards, and their extents for files that have none of this kind and space yet."""
    shards, extents = f"written_{tables.shards}", f"written_{tables.extents}"
    insert_temp(connection, shards, tables.shard_types, [asdict(each.shard) for each in written])
    insert_temp(connection, extents, tables.extent_types, [row for each in written for row in _extent_rows(each)])
    known, held = (
        ("(files.id, space)", "(file_id, space)") if "space" in tables.extent_types else ("files.id", "file_id")
    )
    connection.execute(f"INSERT INTO {tables.shards} BY NAME SELECT * FROM {shards}")
    connection.execute(f"""
        INSERT INTO {tables.extents} BY NAME
        SELECT files.id AS file_id, {extents}.* EXCLUDE (fingerprint) FROM {extents} JOIN files USING (fingerprint)
        WHERE {known} NOT IN (SELECT {held} FROM {tables.extents})""")


def _location_row(location: Location) -> dict[str, Any]:
    return {**{name: getattr(location, name) for name in _LOCATION}, "path": os.fsencode(location.path)}


def _encoded_row(file: EncodedFile | StreamedFile) -> dict[str, Any]:
    info = {**asdict(file.info), "kind": file.info.kind.value}
    return {**_location_row(file.location), "fingerprint": file.fingerprint, **info}


def _extent_rows(written: WrittenShard) -> list[dict[str, Any]]:
    shard = {**asdict(written.shard), "shard": written.shard.name}
    return [
        {**shard, "fingerprint": fingerprint, "first_row": first_row, "rows": count}
        for fingerprint, first_row, count in written.contents
    ]
