"""What the catalogue says at one generation, read in one go and never changed after."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from pesearch.errors import LibraryDamaged
from pesearch.store.shards import FeatureShard, Shard, VectorShard
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

    def is_still(self, place: Location) -> bool:
        """Whether what lies there now has the size and time that it had then: then it is taken to be the same."""
        return (self.size_bytes, self.modified_ns) == (place.size_bytes, place.modified_ns)


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the vectors of a file in one space are: `rows` rows of a shard, from `first_row`."""

    file_id: int
    shard: str
    first_row: int
    rows: int


@dataclass(frozen=True, slots=True)
class FeatureExtent:
    """Where the codec features of a file are: `rows` rows of a shard, from `first_row`."""

    shard: FeatureShard
    first_row: int
    rows: int


@dataclass(frozen=True, slots=True)
class FeatureExtents:
    """The extents of all files that have features: columns, int64 [n], by rising file id; `shards` are by number.

    An object for each file would make a snapshot slower and larger, and most readers never ask for one.
    """

    shards: Mapping[int, FeatureShard]
    file_ids: npt.NDArray[np.int64]
    shard_numbers: npt.NDArray[np.int64]
    first_rows: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]

    def find(self, file_id: int) -> FeatureExtent | None:
        """The extent of one file, if it has features."""
        at = int(np.searchsorted(self.file_ids, file_id))
        if at == len(self.file_ids) or self.file_ids[at] != file_id:
            return None
        return FeatureExtent(self.shards[int(self.shard_numbers[at])], int(self.first_rows[at]), int(self.rows[at]))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One generation of the catalogue. `birth` sets apart two libraries that lay in one folder one after the other.

    `shards` and `extents` are of vectors, `features` of codec features.
    """

    generation: int
    birth: str
    model_set: str
    window_seconds: float
    hop_seconds: float
    frames_per_second: float
    spaces: tuple[Space, ...]
    known: Mapping[Path, KnownLocation]
    files: Mapping[int, MediaFile]
    shards: Mapping[str, VectorShard]
    extents: Mapping[SpaceName, tuple[Extent, ...]]
    features: FeatureExtents

    @property
    def stamp(self) -> str:
        """What the generation file holds when this is the last committed state."""
        return f"{self.generation} {self.birth}"

    def space(self, name: SpaceName) -> Space | None:
        """The space of that name, if the library has it."""
        return next((space for space in self.spaces if space.name == name), None)


def read_snapshot(connection: duckdb.DuckDBPyConnection) -> Snapshot:
    """Read all of the catalogue but the vectors. Extents of a space are in the order of their files."""
    head = connection.execute(
        "SELECT generation, birth, model_set, window_seconds, hop_seconds, frames_per_second FROM library"
    ).fetchone()
    if head is None:
        raise LibraryDamaged("The catalogue of the library is empty: run `pesearch doctor --repair`")
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
        shards=_vector_shards(connection),
        extents={space.name: _extents(connection, space.name) for space in spaces},
        features=_features(connection),
    )


def read_stamp_of(connection: duckdb.DuckDBPyConnection) -> str:
    """`Snapshot.stamp` of the catalogue as it is now."""
    row = connection.execute("SELECT generation, birth FROM library").fetchone()
    return "" if row is None else f"{row[0]} {row[1]}"


def read_shards(connection: duckdb.DuckDBPyConnection) -> list[Shard]:
    """All shards that are registered, of vectors and of features."""
    return [*_vector_shards(connection).values(), *_feature_shards(connection).values()]


def _vector_shards(connection: duckdb.DuckDBPyConnection) -> dict[str, VectorShard]:
    rows = connection.execute("SELECT name, space, rows, size_bytes, checksum FROM shards").fetchall()
    return {name: VectorShard(name, SpaceName(space), *rest) for name, space, *rest in rows}


def _feature_shards(connection: duckdb.DuckDBPyConnection) -> dict[int, FeatureShard]:
    rows = connection.execute(
        "SELECT rowid, name, codec, dim, rows, size_bytes, checksum FROM feature_shards"
    ).fetchall()
    return {number: FeatureShard(*rest) for number, *rest in rows}


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


def _features(connection: duckdb.DuckDBPyConnection) -> FeatureExtents:
    columns = connection.execute("""
        SELECT file_id, feature_shards.rowid AS shard_number, first_row, feature_extents.rows AS rows
        FROM feature_extents JOIN feature_shards ON shard = name ORDER BY file_id""").fetchnumpy()
    return FeatureExtents(
        _feature_shards(connection), *(columns[name] for name in ("file_id", "shard_number", "first_row", "rows"))
    )
