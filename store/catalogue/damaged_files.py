"""The files of which vectors or features were found to be damaged, and what that means for their users."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pesearch.store.catalogue.extents import Extents
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.shards.damage import DamageRegistry
from pesearch.store.shards.format import Shard, VectorShard
from pesearch.store.shards.row_ranges import RowIds
from pesearch.types import SpaceName

SOUND_FEATURES = "sound features"
"""`DamagedFile.data` for codec features."""


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A media file, and its data in one shard: `lost` of its `rows` are left out of searches, `restored` ones are not.

    data: The name of a space, or SOUND_FEATURES. shard: Relative to the library's folder. reason: What is wrong with
    the shard, in one line.
    """

    path: Path
    data: str
    shard: Path
    rows: int
    lost: int
    restored: int
    reason: str

    def __str__(self) -> str:
        """One line for users."""
        if self.lost == 0 and self.restored == 0:
            state = f"some of its {self.rows} {self.data} values differ from what was written"
        elif self.data == SOUND_FEATURES and self.lost:
            state = "its sound features are damaged and not used"
        elif self.lost:
            state = f"{self.lost} of its {self.rows} {self.data} vectors are damaged and left out"
        else:
            state = f"{self.restored} of its {self.rows} {self.data} rows were damaged and restored"
        return f"{self.path}: {state}: run `pesearch doctor`"


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
                yield DamagedFile(media.path, data, shard.relative_path, rows, lost, restored, str(known.error))


def _media_id(snapshot: Snapshot, shard: Shard, file_id: int) -> int:
    """The id of a media file: extents of cues are those of their sources."""
    if isinstance(shard, VectorShard) and shard.space is SpaceName.CUE:
        return int(snapshot.embedded.file_ids[np.flatnonzero(snapshot.embedded.ids == file_id)[0]])
    return file_id


def _count(rows: RowIds, first: int, stop: int) -> int:
    return int(((rows >= first) & (rows < stop)).sum())
