"""Many small shards become one: each costs every reader an open file, and a commit writes one for each space.

What files have in the old shards is copied row by row into the new one, in a memory that does not grow with them; rows
that no file refers to any more are left behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from pesearch.store.catalogue.extents import read_shards
from pesearch.store.disk.durable import undone_by
from pesearch.store.shards.checksum import find_damage
from pesearch.store.shards.features import FeatureStream, read_steps
from pesearch.store.shards.format import FeatureShard, Shard, VectorShard
from pesearch.store.shards.records import MergedShard, Move
from pesearch.store.shards.vectors import VectorStream, cut, map_shard
from pesearch.store.write.streaming import BATCH_ROWS
from pesearch.types import Space, SpaceName, SpaceVectors

SMALL_BYTES = 16 << 20
MANY = 32
"""More than so many shards of a kind that are smaller than this are merged. So a row is copied about twice in its life:
a batch of some seconds writes about 0.5 MiB, 33 of those make one of 16 MiB."""

MERGED_BYTES = 256 << 20
"""About how large a merged shard becomes: the disk must have room for it beside those that it replaces."""

_EXTENTS = " UNION ALL ".join(
    f"SELECT shard, first_row, rows FROM {table}" for table in ("extents", "cue_extents", "feature_extents")
)


@dataclass(frozen=True, slots=True)
class Group:
    """Shards of one kind that are to become one, and for each what files have in it: (first row, rows)."""

    shards: tuple[Shard, ...]
    extents: Mapping[str, Sequence[tuple[int, int]]]


def groups_to_merge(connection: duckdb.DuckDBPyConnection) -> list[Group]:
    """What is worth merging: shards of a kind of which too many are small, and each whose rows are for the most part
    referred to no more."""
    shards = read_shards(connection)
    live = dict(connection.execute(f"SELECT shard, sum(rows)::BIGINT FROM ({_EXTENTS}) GROUP BY shard").fetchall())
    kinds: dict[tuple[str, ...], list[Shard]] = {}
    for shard in shards:
        kinds.setdefault(shard.kind, []).append(shard)
    chosen = [part for kind in kinds.values() for part in _parts(_worth(kind, live))]
    return [Group(tuple(part), _extents(connection, part)) for part in chosen]


def merge(folder: Path, group: Group, spaces: Mapping[SpaceName, Space]) -> MergedShard | None:
    """Write the shard that takes the place of a group. A damaged one stays as it is, so that the damage is not hidden
    under a new checksum; none when that leaves nothing to do."""
    sound = [shard for shard in group.shards if find_damage(folder, shard, spaces) is None]
    if not sound:
        return None
    vectors = [shard for shard in sound if isinstance(shard, VectorShard)]
    features = [shard for shard in sound if isinstance(shard, FeatureShard)]
    if vectors:
        new: Shard = _merge_vectors(folder, vectors, group, spaces[vectors[0].space])
    else:
        new = _merge_features(folder, features, group)
    return MergedShard(new, tuple(sound), tuple(_moves(sound, group)))


def _merge_vectors(folder: Path, shards: Sequence[VectorShard], group: Group, space: Space) -> VectorShard:
    stream = VectorStream(folder, space, BATCH_ROWS)
    with undone_by(stream.discard):
        for shard in shards:
            batches = map_shard(folder, shard, space.dim)
            for first, count in group.extents[shard.name]:
                for part in cut(batches, first, count):
                    stream.append(SpaceVectors(space.name, part.segments, part.vectors.astype(np.float32)))
        return stream.finish()


def _merge_features(folder: Path, shards: Sequence[FeatureShard], group: Group) -> FeatureShard:
    stream = FeatureStream(folder, shards[0].codec, shards[0].dim)
    with undone_by(stream.discard):
        for shard in shards:
            for first, count in group.extents[shard.name]:
                stream.append(read_steps(folder, shard, first, first + count))
        return stream.finish()


def _moves(shards: Iterable[Shard], group: Group) -> Iterator[Move]:
    """Where the rows of each extent begin in the new shard."""
    new_row = 0
    for shard in shards:
        for first_row, rows in group.extents[shard.name]:
            yield Move(shard.name, first_row, new_row)
            new_row += rows


def _worth(kind: Sequence[Shard], live: Mapping[str, int]) -> list[Shard]:
    small = {shard.name for shard in kind if shard.size_bytes < SMALL_BYTES}
    hollow = {shard.name for shard in kind if 2 * live[shard.name] < shard.rows}
    chosen = hollow | small if len(small) > MANY else hollow
    return [shard for shard in kind if shard.name in chosen]


def _parts(shards: Sequence[Shard]) -> Iterator[list[Shard]]:
    """Shards in groups of at most `MERGED_BYTES`, or of one that is larger."""
    part: list[Shard] = []
    for shard in shards:
        if part and sum(each.size_bytes for each in part) + shard.size_bytes > MERGED_BYTES:
            yield part
            part = []
        part.append(shard)
    if part:
        yield part


def _extents(connection: duckdb.DuckDBPyConnection, shards: Sequence[Shard]) -> dict[str, list[tuple[int, int]]]:
    """What files have in each shard, in the order of its rows."""
    rows = connection.execute(
        f"SELECT shard, first_row, rows FROM ({_EXTENTS}) WHERE shard IN (SELECT unnest($1::VARCHAR[])) ORDER BY ALL",
        [[shard.name for shard in shards]],
    ).fetchall()
    extents: dict[str, list[tuple[int, int]]] = {shard.name: [] for shard in shards}
    for name, first_row, count in rows:
        extents[name].append((first_row, count))
    return extents
