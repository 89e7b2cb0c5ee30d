"""Records of shards that the write path passes to the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pesearch.cues import CueSource
from pesearch.locations import Location
from pesearch.store.shards.format import Shard
from pesearch.types import MediaInfo, MediaProperties, Remark

_Shard = TypeVar("_Shard", bound=Shard, covariant=True)


@dataclass(frozen=True, slots=True)
class Extent(Generic[_Shard]):
    """`rows` rows of a shard, from row `first_row`."""

    shard: _Shard
    first_row: int
    rows: int


@dataclass(frozen=True, slots=True)
class StreamedFile:
    """An `EncodedFile` whose vectors and features are in shards already.

    Files that share a shard must be registered in one `Writer.add`: the rows of those that are not are lost.
    """

    location: Location
    fingerprint: str
    info: MediaInfo
    extents: tuple[Extent[Shard], ...]
    cues: tuple[CueSource, ...] = ()
    remarks: tuple[Remark, ...] = ()
    properties: MediaProperties | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """An extent that began at `first_row` of a shard begins at `new_row` of the merged shard."""

    shard: str
    first_row: int
    new_row: int


@dataclass(frozen=True, slots=True)
class MergedShard:
    """A new, unregistered shard that will replace others."""

    shard: Shard
    replaced: tuple[Shard, ...]
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class WrittenShard:
    """A new, unregistered shard. `contents`: (fingerprint, first row, rows)."""

    shard: Shard
    contents: tuple[tuple[str, int, int], ...]
