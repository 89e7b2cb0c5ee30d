"""The media files with rows in damaged shards."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pesearch.damage import SOUND_FEATURES, DamagedFile
from pesearch.store.catalogue.extents import Extents
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.shards.damage import DamageRegistry
from pesearch.store.shards.format import Shard, VectorShard
from pesearch.store.shards.row_ranges import RowIds
from pesearch.types import SpaceName


def damaged_files(snapshot: Snapshot, damage: DamageRegistry) -> tuple[DamagedFile, ...]:
    """The files with damaged rows at one generation, by path."""
    found: list[DamagedFile] = []
    for space in snapshot.searched:
        found += _of_extents(snapshot, damage, snapshot.vectors[space.name], space.name.value)
    found += _of_extents(snapshot, damage, snapshot.features, SOUND_FEATURES)
    return tuple(sorted(found, key=lambda file: (file.path, file.data)))


def _of_extents(
    snapshot: Snapshot, damage: DamageRegistry, extents: Extents[Shard], data: str
) -> Iterator[DamagedFile]:
    """The files with damaged rows in some extents."""
    for number, shard in extents.shards.items():
        if (known := damage.find(shard)) is None:
            continue
        is_unlocated = not len(known.lost) and not len(known.restored)
        of_shard = extents.shard_numbers == number
        columns = (extents.file_ids, extents.first_rows, extents.rows)
        for file_id, first, rows in zip(*(column[of_shard].tolist() for column in columns), strict=True):
            lost, restored = (_count(each, first, first + rows) for each in (known.lost, known.restored))
            media = snapshot.files.get(_media_id(snapshot, shard, file_id))
            if media is not None and (lost or restored or is_unlocated):
                reason = str(known.error)
                yield DamagedFile(media.path, data, shard.relative_path, rows, lost, restored, reason)


def _media_id(snapshot: Snapshot, shard: Shard, file_id: int) -> int:
    """The id of a media file: extents of cues are those of their sources."""
    if isinstance(shard, VectorShard) and shard.space is SpaceName.CUE:
        return int(snapshot.embedded.file_ids[np.flatnonzero(snapshot.embedded.ids == file_id)[0]])
    return file_id


def _count(rows: RowIds, first: int, stop: int) -> int:
    return int(((rows >= first) & (rows < stop)).sum())
