"""What the catalogue says at one generation, read in one go and never changed after."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pesearch.errors import LibraryDamaged
from pesearch.store.shards import Shard
from pesearch.types import AudioStream, Location, MediaFile, MediaInfo, MediaKind, Space, SpaceName, VideoStream


@dataclass(frozen=True, slots=True)
class KnownLocation:
    """What a library knows of a path: the file it holds, or the reason why it could not be indexed.

    Both are set when a file that was indexed could not be read again although it did not change.
    """

    size_bytes: int
    modified_ns: int
    file_id: int | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the vectors of a file in one space are: `rows` rows of a shard, from `first_row`."""

    file_id: int
    shard: str
    first_row: int
    rows: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One generation of the catalogue. `birth` sets apart two libraries that lay in one folder one after the other."""

    generation: int
    birth: str
    model_set: str
    window_seconds: float
    hop_seconds: float
    frames_per_second: float
    spaces: tuple[Space, ...]
    known: Mapping[Path, KnownLocation]
    files: Mapping[int, MediaFile]
    shards: Mapping[str, Shard]
    extents: Mapping[SpaceName, tuple[Extent, ...]]

    @property
    def stamp(self) -> str:
        """What the generation file holds when this is the last committed state."""
        return f"{self.generation} {self.birth}"


def read_snapshot(connection: duckdb.DuckDBPyConnection) -> Snapshot:
    """Read all of the catalogue but the vectors. Extents of a space are in the order of their files."""
    head = connection.execute(
        "SELECT generation, birth, model_set, window_seconds, hop_seconds, frames_per_second FROM library"
    ).fetchone()
    if head is None:
        raise LibraryDamaged("The catalogue of the library is empty: index into a new library")
    generation, birth, model_set, window_seconds, hop_seconds, frames_per_second = head
    spaces = _spaces(connection)
    known = _known(connection)
    return Snapshot(
        generation=generation,
        birth=birth,
        model_set=model_set,
        window_seconds=window_seconds,
        hop_seconds=hop_seconds,
        frames_per_second=frames_per_second,
        spaces=spaces,
        known=known,
        files=_files(connection, known),
        shards=read_shards(connection),
        extents={space.name: _extents(connection, space.name) for space in spaces},
    )


def read_shards(connection: duckdb.DuckDBPyConnection) -> dict[str, Shard]:
    """The shards that are registered, by name."""
    rows = connection.execute("SELECT name, space, rows, size_bytes FROM shards").fetchall()
    return {name: Shard(name, SpaceName(space), *rest) for name, space, *rest in rows}


def _spaces(connection: duckdb.DuckDBPyConnection) -> tuple[Space, ...]:
    rows = connection.execute("SELECT name, model, revision, dim FROM spaces").fetchall()
    return tuple(Space(SpaceName(name), *rest) for name, *rest in rows)


def _known(connection: duckdb.DuckDBPyConnection) -> dict[Path, KnownLocation]:
    rows = connection.execute(
        "SELECT path, size_bytes, modified_ns, file_id, reason FROM locations ORDER BY path"
    ).fetchall()
    return {Path(os.fsdecode(path)): KnownLocation(*rest) for path, *rest in rows}


def _files(connection: duckdb.DuckDBPyConnection, known: Mapping[Path, KnownLocation]) -> dict[int, MediaFile]:
    locations: dict[int, list[Location]] = {}
    for path, place in known.items():
        if place.file_id is not None:
            locations.setdefault(place.file_id, []).append(Location(path, place.size_bytes, place.modified_ns))
    rows = connection.execute(
        "SELECT id, fingerprint, kind, duration_seconds, video, audio FROM files ORDER BY id"
    ).fetchall()
    return {row[0]: MediaFile(row[0], row[1], _media_info(*row[2:]), tuple(locations[row[0]])) for row in rows}


def _media_info(
    kind: str, duration_seconds: float, video: dict[str, Any] | None, audio: dict[str, Any] | None
) -> MediaInfo:
    return MediaInfo(
        MediaKind(kind),
        duration_seconds,
        VideoStream(**video) if video else None,
        AudioStream(**audio) if audio else None,
    )


def _extents(connection: duckdb.DuckDBPyConnection, space: SpaceName) -> tuple[Extent, ...]:
    rows = connection.execute(
        "SELECT file_id, shard, first_row, rows FROM extents WHERE space = ? ORDER BY file_id, first_row", [space.value]
    ).fetchall()
    return tuple(Extent(*row) for row in rows)
