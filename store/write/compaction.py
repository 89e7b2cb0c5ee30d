"""Compaction: merge small shards, because each commit writes one per space and each costs every reader an open file.

Rows that files refer to are copied in batches, in constant memory; unused rows are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from pesearch.errors import LibraryUnavailable
from pesearch.store.catalogue.extents import read_shards
from pesearch.store.disk.durable import undone_by
from pesearch.store.shards.checksum import find_damage
from pesearch.store.shards.features import FeatureStream, read_steps
from pesearch.store.shards.format import FeatureShard, Shard, VectorShard
from pesearch.store.shards.records import MergedShard, Move
from pesearch.store.shards.vectors import VectorStream, map_shard, slice_rows
from pesearch.store.write.streaming import BATCH_ROWS
from pesearch.types import Space, SpaceName, SpaceVectors

SMALL_SHARD_BYTES = 16 << 20
"""Shards below this size are candidates for merging."""

MAX_SMALL_SHARDS = 32
"""Small shards of a kind are merged once there are more than this. A batch of a few seconds writes about 0.5 MiB and 33
of them make 16 MiB, so a row is copied about twice in its life."""

MAX_MERGED_BYTES = 256 << 20
"""Approximate limit of a merged shard. The disk needs room for it in addition to the shards that it replaces."""

_EXTENTS = " UNION ALL ".join(
    f"SELECT shard, first_row, rows FROM {table}" for table in ("extents", "cue_extents", "feature_extents")
)


@dataclass(frozen=True, slots=True)
class Group:
    """Shards of one kind to be merged, and by name the extents of files in each: (first row, rows)."""

    shards: tuple[Shard, ...]
    extents: Mapping[str, Sequence[tuple[int, int]]]


def find_groups(connection: duckdb.DuckDBPyConnection) -> list[Group]:
    """Shards worth merging: small ones if there are too many of a kind, and those with more unused than used rows."""
    shards = read_shards(connection)
    used = dict(connection.execute(f"SELECT shard, sum(rows)::BIGINT FROM ({_EXTENTS}) GROUP BY shard").fetchall())
    kinds: dict[tuple[str, ...], list[Shard]] = {}
    for shard in shards:
        kinds.setdefault(shard.kind, []).append(shard)
    chosen = [part for kind in kinds.values() for part in _parts(_worth_merging(kind, used))]
    return [Group(tuple(part), _extents(connection, part)) for part in chosen]


def merge_group(folder: Path, group: Group, spaces: Mapping[SpaceName, Space]) -> MergedShard | None:
    """Write the shard that replaces a group; None if all are damaged.

    Damaged shards are not merged: a new checksum would hide the damage. Nor are those that cannot be read now.
    """
    sound = [shard for shard in group.shards if _is_sound(folder, shard, spaces)]
    if not sound:
        return None
    vectors = [shard for shard in sound if isinstance(shard, VectorShard)]
    features = [shard for shard in sound if isinstance(shard, FeatureShard)]
    if vectors:
        new: Shard = _merge_vectors(folder, vectors, group, spaces[vectors[0].space])
    else:
        new = _merge_features(folder, features, group)
    return MergedShard(new, tuple(sound), tuple(_moves(sound, group)))


def _is_sound(folder: Path, shard: Shard, spaces: Mapping[SpaceName, Space]) -> bool:
    try:
        return find_damage(folder, shard, spaces) is None
    except LibraryUnavailable:
        return False


def _merge_vectors(folder: Path, shards: Sequence[VectorShard], group: Group, space: Space) -> VectorShard:
    stream = VectorStream(folder, space, BATCH_ROWS)
    with undone_by(stream.discard):
        for shard in shards:
            batches = map_shard(folder, shard, space.dim)
            for first, count in group.extents[shard.name]:
                for part in slice_rows(batches, first, count):
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
    """The new first row of each extent."""
    new_row = 0
    for shard in shards:
        for first_row, rows in group.extents[shard.name]:
            yield Move(shard.name, first_row, new_row)
            new_row += rows


def _worth_merging(kind: Sequence[Shard], used: Mapping[str, int]) -> list[Shard]:
    small = {shard.name for shard in kind if shard.size_bytes < SMALL_SHARD_BYTES}
    mostly_unused = {shard.name for shard in kind if 2 * used[shard.name] < shard.rows}
    chosen = mostly_unused | small if len(small) > MAX_SMALL_SHARDS else mostly_unused
    return [shard for shard in kind if shard.name in chosen]


def _parts(shards: Sequence[Shard]) -> Iterator[list[Shard]]:
    """Split shards into groups of at most MAX_MERGED_BYTES, or one larger shard."""
    part: list[Shard] = []
    for shard in shards:
        if part and sum(each.size_bytes for each in part) + shard.size_bytes > MAX_MERGED_BYTES:
            yield part
            part = []
        part.append(shard)
    if part:
        yield part


def _extents(connection: duckdb.DuckDBPyConnection, shards: Sequence[Shard]) -> dict[str, list[tuple[int, int]]]:
    """The extents (first row, rows) in each shard, in order."""
    rows = connection.execute(
        f"SELECT shard, first_row, rows FROM ({_EXTENTS}) WHERE shard IN (SELECT unnest($1::VARCHAR[])) ORDER BY ALL",
        [[shard.name for shard in shards]],
    ).fetchall()
    extents: dict[str, list[tuple[int, int]]] = {shard.name: [] for shard in shards}
    for name, first_row, count in rows:
        extents[name].append((first_row, count))
    return extents
