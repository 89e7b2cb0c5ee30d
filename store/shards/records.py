"""Records of shards that pass between the write path and the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pesearch.cues import CueSource
from pesearch.locations import Location
from pesearch.store.shards.format import Shard
from pesearch.types import MediaInfo

_Shard = TypeVar("_Shard", bound=Shard)


@dataclass(frozen=True, slots=True)
class Extent(Generic[_Shard]):
    """`rows` rows of a shard, from `first_row`."""

    shard: _Shard
    first_row: int
    rows: int


@dataclass(frozen=True, slots=True)
class StreamedFile:
    """A media file as an `EncodedFile`, with its vectors and features on the disk.

    Files that share a shard are registered together (`Writer.add`), or some of them are lost.
    """

    location: Location
    fingerprint: str
    info: MediaInfo
    extents: tuple[Extent[Shard], ...]
    cues: tuple[CueSource, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """Rows that begin at `first_row` of a shard begin at `new_row` of the merged one."""

    shard: str
    first_row: int
    new_row: int


@dataclass(frozen=True, slots=True)
class MergedShard:
    """A new shard on disk that waits to take the place of `replaced`."""

    shard: Shard
    replaced: tuple[Shard, ...]
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class WrittenShard:
    """A shard on disk that waits for its registration: `contents` are (fingerprint, first row, rows)."""

    shard: Shard
    contents: tuple[tuple[str, int, int], ...]
