"""The tables of the catalogue, as numbered migrations: schema n is the result of the first n.

- `library`: one row. `birth` is the id of the library.
- `locations`: every known path, as the system's bytes, with its file (`file_id`) or the `reason` why it could not be
  indexed; both when the indexed bytes can no longer be read. On a drive, `volume` names the file system and `inode` the
  file on it. `volumes`: where each volume was last mounted.
- `extents`: the vectors of a file, `rows` rows of a shard from `first_row`. `feature_shards`, `feature_extents`: the
  same for codec features. `checksum` covers a shard's bytes; shards of older programs have none.
- `cue_sources`: where cues of a file were read and how many there are: in a sidecar (`path`) next to one of the file's
  paths (`beside`), or in the file itself (both NULL). A source never changes: one that is read again gets a new id.
- `cue_extents`: the vectors of a source in shards of the space `cue`, one per cue, in order; none until embedded.
- `remarks`: what of a file's media is not in the library, or was guessed, and how many `seconds`. The `remark` of a cue
  source says the same of its cues. Files of older programs have none.
- `file_properties`: what a file says about its recording; a file without a row was not read for it yet. `times` has its
  capture times, preferred first, each with where it was read: `quicktime 2019-07-04T23:34:56+02:00, ...`.
- `settings`: choices of the user. `vectors` is the vector search backend, as `MilvusAddress` prints it; absent: FAISS.
  `audio_track` is the track to search, as `AudioTrack` prints it; absent: the one that players choose.
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

REMARKS = """
CREATE TABLE remarks (file_id BIGINT NOT NULL, reason VARCHAR NOT NULL, seconds DOUBLE);
ALTER TABLE cue_sources ADD COLUMN remark VARCHAR;
"""

PROPERTIES = """
CREATE TABLE file_properties (
    file_id BIGINT NOT NULL, times VARCHAR NOT NULL,
    latitude DOUBLE, longitude DOUBLE, altitude_meters DOUBLE, camera VARCHAR NOT NULL,
    rotation_degrees INTEGER NOT NULL, subtitle_streams INTEGER NOT NULL);
"""

UNCOMPARED_COPIES = """
CREATE TABLE uncompared_copies (file_id BIGINT NOT NULL);
INSERT INTO uncompared_copies
SELECT file_id FROM locations WHERE file_id IS NOT NULL GROUP BY file_id HAVING count(*) > 1 ORDER BY file_id;
"""

ABSENT_LOCATIONS = """
CREATE TABLE absent_locations (path BLOB NOT NULL, reason VARCHAR NOT NULL);
"""

VECTORS_SETTING = "vectors"
"""The name of the setting for the vector search backend."""

AUDIO_TRACK_SETTING = "audio_track"
"""The name of the setting for the audio track that is searched."""

ROLLED_BACK_SETTING = "rolled_back_ns"
"""The name of the setting for the time at which a repair put an older catalogue in place."""

MIGRATIONS: Sequence[str] = (
    FIRST_TABLES,
    FEATURE_TABLES,
    CHECKSUMS,
    CUE_TABLES,
    VOLUMES,
    CUE_VECTORS,
    SETTINGS,
    REMARKS,
    PROPERTIES,
    UNCOMPARED_COPIES,
    ABSENT_LOCATIONS,
)
"""Append only."""


def schema_number(connection: duckdb.DuckDBPyConnection) -> int:
    """The schema of a catalogue. Raises LibraryTooNew when this program does not know it."""
    row = connection.execute("SELECT schema FROM library").fetchone()
    number = int(row[0]) if row else 0
    if number > len(MIGRATIONS):
        raise LibraryTooNew(
            f"The library was written by a newer pesearch (schema {number}, this one knows {len(MIGRATIONS)}): "
            "upgrade pesearch"
        )
    return number


def migrate(connection: duckdb.DuckDBPyConnection) -> bool:
    """Apply missing migrations inside the caller's transaction. Whether there were any."""
    missing = MIGRATIONS[schema_number(connection) :]
    for migration in missing:
        connection.execute(migration)
    if missing:
        connection.execute("UPDATE library SET schema = ?", [len(MIGRATIONS)])
    return bool(missing)
