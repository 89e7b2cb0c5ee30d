"""The tables of the catalogue, as numbered migrations: a catalogue of number n has had the first n applied.

`locations` says all that is known of a path: the file it holds (`file_id`), or why it could not be indexed (`reason`).
Both are set when the bytes that were indexed can no longer be read. Paths are the bytes that the system uses.
Of a place on a drive `volume` names the file system and `inode` the file on it; `volumes` says where that was mounted.
`extents` says where the vectors of a file are: `rows` rows of a shard, from `first_row`. `feature_shards` and
`feature_extents` say the same of codec features. `cue_sources` says where the cues of a file were read and how many
there are: in a sidecar (`path`) beside one of its places (`beside`), or, both NULL, in the file itself; what a source
holds never changes, for one that is read again gets a new id. `cue_extents` says where in the shards of the space
`cue` the vectors of such a source are: one for each of its cues, in their order; a source whose cues are not embedded
yet has none. A `checksum` is of a shard's bytes; those of older programs have none. `settings` are what the user chose
for a library: of `vectors` where they are searched, as `milvus_address` writes it; FAISS does where nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from pesearch.errors import LibraryTooNew

FIRST_TABLES = """
CREATE TABLE library (
    schema INTEGER NOT NULL, birth VARCHAR NOT NULL, generation BIGINT NOT NULL, model_set VARCHAR NOT NULL,
    window_seconds DOUBLE NOT NULL, hop_seconds DOUBLE NOT NULL, frames_per_second DOUBLE NOT NULL);
CREATE TABLE spaces (name VARCHAR NOT NULL, model VARCHAR NOT NULL, revision VARCHAR NOT NULL, dim INTEGER NOT NULL);
CREATE SEQUENCE file_ids;
CREATE TABLE files (
    id BIGINT NOT NULL DEFAULT nextval('file_ids'), fingerprint VARCHAR NOT NULL,
    kind VARCHAR NOT NULL, duration_seconds DOUBLE NOT NULL,
    video STRUCT(codec VARCHAR, width INTEGER, height INTEGER, frames_per_second DOUBLE),
    audio STRUCT(codec VARCHAR, sample_rate INTEGER, channels INTEGER));
CREATE TABLE locations (
    path BLOB NOT NULL, size_bytes BIGINT NOT NULL, modified_ns BIGINT NOT NULL, file_id BIGINT, reason VARCHAR,
    CHECK (file_id IS NOT NULL OR reason IS NOT NULL));
CREATE TABLE shards (name VARCHAR NOT NULL, space VARCHAR NOT NULL, rows BIGINT NOT NULL, size_bytes BIGINT NOT NULL);
CREATE TABLE extents (
    file_id BIGINT NOT NULL, space VARCHAR NOT NULL, shard VARCHAR NOT NULL,
    first_row BIGINT NOT NULL, rows BIGINT NOT NULL);
"""

FEATURE_TABLES = """
CREATE TABLE feature_shards (
    name VARCHAR NOT NULL, codec VARCHAR NOT NULL, dim INTEGER NOT NULL, rows BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL);
CREATE TABLE feature_extents (
    file_id BIGINT NOT NULL, shard VARCHAR NOT NULL, first_row BIGINT NOT NULL, rows BIGINT NOT NULL);
"""

CHECKSUMS = """
ALTER TABLE shards ADD COLUMN checksum VARCHAR;
ALTER TABLE feature_shards ADD COLUMN checksum VARCHAR;
"""

CUE_TABLES = """
CREATE SEQUENCE cue_source_ids;
CREATE TABLE cue_sources (
    id BIGINT NOT NULL, file_id BIGINT NOT NULL, beside BLOB, path BLOB, size_bytes BIGINT, modified_ns BIGINT,
    cues BIGINT NOT NULL);
CREATE TABLE cues (
    source_id BIGINT NOT NULL, start_seconds DOUBLE NOT NULL, end_seconds DOUBLE NOT NULL, text VARCHAR NOT NULL,
    kind VARCHAR NOT NULL, source VARCHAR NOT NULL, language VARCHAR NOT NULL);
"""

VOLUMES = """
ALTER TABLE locations ADD COLUMN volume VARCHAR DEFAULT '';
ALTER TABLE locations ADD COLUMN inode UBIGINT DEFAULT 0;
CREATE TABLE volumes (name VARCHAR NOT NULL, mount_point BLOB NOT NULL);
"""

CUE_VECTORS = """
CREATE TABLE cue_extents (
    source_id BIGINT NOT NULL, shard VARCHAR NOT NULL, first_row BIGINT NOT NULL, rows BIGINT NOT NULL);
"""

SETTINGS = """
CREATE TABLE settings (name VARCHAR NOT NULL, value VARCHAR NOT NULL);
"""

VECTORS_SETTING = "vectors"

MIGRATIONS: Sequence[str] = (
    FIRST_TABLES,
    FEATURE_TABLES,
    CHECKSUMS,
    CUE_TABLES,
    VOLUMES,
    CUE_VECTORS,
    SETTINGS,
)
"""Each entry brings a catalogue to its number. Entries are only ever appended."""


def schema_number(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of a catalogue's schema. `LibraryTooNew` when this program does not know it."""
    row = connection.execute("SELECT schema FROM library").fetchone()
    number = int(row[0]) if row else 0
    if number > len(MIGRATIONS):
        raise LibraryTooNew(
            f"The library was written by a newer pesearch (schema {number}, this one knows {len(MIGRATIONS)}): "
            "upgrade pesearch"
        )
    return number


def migrate(connection: duckdb.DuckDBPyConnection) -> bool:
    """Apply to an existing catalogue what it lacks, inside the caller's transaction. Whether anything was lacking."""
    lacking = MIGRATIONS[schema_number(connection) :]
    for migration in lacking:
        connection.execute(migration)
    if lacking:
        connection.execute("UPDATE library SET schema = ?", [len(MIGRATIONS)])
    return bool(lacking)
