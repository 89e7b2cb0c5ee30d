"""The catalogue at one generation, read in one transaction and immutable."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from pesearch.audio_track import AudioTrack
from pesearch.errors import LibraryDamaged
from pesearch.store.catalogue.cue_extents import sources_with_vectors
from pesearch.store.catalogue.cues import CueSources
from pesearch.store.catalogue.extents import Extents, no_extents, read_feature_extents, read_vector_extents
from pesearch.store.catalogue.files import KnownFiles, KnownLocations
from pesearch.store.catalogue.schema import AUDIO_TRACK_SETTING, VECTORS_SETTING
from pesearch.store.catalogue.vector_backend import MilvusAddress, parse_vectors
from pesearch.store.shards.format import FeatureShard, Shard, VectorShard
from pesearch.types import Space, SpaceName
from pesearch.volume import Volume


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One generation of the catalogue. `library_id` distinguishes libraries that used the same folder in turn.

    `milvus` is None when FAISS searches the vectors, `audio_track` when it is the one that players choose. `vectors`
    has the extents of each space, CUE included; `embedded` are the sources of cues that have vectors.
    """

    generation: int
    library_id: str
    model_set: str
    window_seconds: float
    hop_seconds: float
    frames_per_second: float
    spaces: tuple[Space, ...]
    volumes: tuple[Volume, ...]
    milvus: MilvusAddress | None
    audio_track: AudioTrack | None
    locations: KnownLocations
    files: KnownFiles
    vectors: Mapping[SpaceName, Extents[VectorShard]]
    features: Extents[FeatureShard]
    embedded: CueSources

    @property
    def stamp(self) -> str:
        """The content of the generation file as long as this is the last commit."""
        return f"{self.generation} {self.library_id}"

    @property
    def shards(self) -> list[Shard]:
        """All shards, of vectors and of features."""
        vectors = (shard for extents in self.vectors.values() for shard in extents.shards.values())
        return [*vectors, *self.features.shards.values()]

    @property
    def searched(self) -> tuple[Space, ...]:
        """All spaces with vectors: those of media, and that of cues."""
        return (*self.spaces, *_cue_space(self.spaces))

    def space(self, name: SpaceName) -> Space | None:
        """The space of this name, if the library has it."""
        return next((space for space in self.searched if space.name == name), None)


def read_snapshot(connection: duckdb.DuckDBPyConnection) -> Snapshot:
    """Read the catalogue, without cues."""
    head = connection.execute(
        "SELECT generation, birth, model_set, window_seconds, hop_seconds, frames_per_second FROM library"
    ).fetchone()
    if head is None:
        raise LibraryDamaged("The catalogue of the library is empty: run `pesearch doctor --repair`")
    generation, library_id, model_set, window_seconds, hop_seconds, frames_per_second = head
    spaces = _spaces(connection)
    locations = KnownLocations(connection)
    vectors = read_vector_extents(connection)
    settings = _settings(connection)
    return Snapshot(
        generation=generation,
        library_id=library_id,
        model_set=model_set,
        window_seconds=window_seconds,
        hop_seconds=hop_seconds,
        frames_per_second=frames_per_second,
        spaces=spaces,
        volumes=_volumes(connection),
        milvus=_milvus(settings),
        audio_track=_audio_track(settings),
        locations=locations,
        files=KnownFiles(connection, locations),
        vectors={space.name: vectors.get(space.name) or no_extents() for space in (*spaces, *_cue_space(spaces))},
        features=read_feature_extents(connection),
        embedded=sources_with_vectors(connection),
    )


def read_catalogue_stamp(connection: duckdb.DuckDBPyConnection) -> str:
    """`Snapshot.stamp` of the current catalogue."""
    row = connection.execute("SELECT generation, birth FROM library").fetchone()
    return "" if row is None else f"{row[0]} {row[1]}"


def is_current(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> bool:
    """Whether a snapshot is of the last commit."""
    return read_catalogue_stamp(connection) == snapshot.stamp


def _spaces(connection: duckdb.DuckDBPyConnection) -> tuple[Space, ...]:
    rows = connection.execute("SELECT name, model, revision, dim FROM spaces").fetchall()
    return tuple(Space(SpaceName(name), *rest) for name, *rest in rows)


def _cue_space(spaces: Sequence[Space]) -> list[Space]:
    """The space of cues, if there is an audio space: its text encoder embeds cues."""
    return [replace(space, name=SpaceName.CUE) for space in spaces if space.name is SpaceName.AUDIO]


def _settings(connection: duckdb.DuckDBPyConnection) -> Mapping[str, str]:
    return dict(connection.execute("SELECT name, value FROM settings").fetchall())


def _milvus(settings: Mapping[str, str]) -> MilvusAddress | None:
    value = settings.get(VECTORS_SETTING)
    return None if value is None else parse_vectors(value)


def _audio_track(settings: Mapping[str, str]) -> AudioTrack | None:
    value = settings.get(AUDIO_TRACK_SETTING)
    return None if value is None else AudioTrack(value)


def _volumes(connection: duckdb.DuckDBPyConnection) -> tuple[Volume, ...]:
    rows = connection.execute("SELECT name, mount_point FROM volumes ORDER BY mount_point").fetchall()
    return tuple(Volume(name, Path(os.fsdecode(mount_point))) for name, mount_point in rows)
