"""Read a whole library, and report what is damaged in it and what cannot be read now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pesearch.errors import LibraryDamaged, LibraryUnavailable
from pesearch.store.catalogue.backup import has_backup, read_whole
from pesearch.store.catalogue.connection import reading
from pesearch.store.catalogue.create import migrate_catalogue, reading_migrated
from pesearch.store.catalogue.disk_files import BACKUP_FOLDER
from pesearch.store.catalogue.extents import read_shards
from pesearch.store.catalogue.snapshot import Snapshot, read_snapshot
from pesearch.store.catalogue.stamp import count_lost_commits, read_stamp
from pesearch.store.shards.checksum import find_damage
from pesearch.store.shards.format import Shard
from pesearch.store.shards.presence import absent_folders, folder_absent

_Error = TypeVar("_Error", LibraryDamaged, LibraryUnavailable)


@dataclass(frozen=True, slots=True)
class FaultyShard(Generic[_Error]):
    """A shard that differs from what was written, or that cannot be read now, and how."""

    shard: Shard
    error: _Error


@dataclass(frozen=True, slots=True)
class Examination:
    """The result of reading a whole library. `without_checksum` shards were written by an older program.

    `lost_commits` is how far the catalogue is behind the generation file, as after restoring an old copy of it.
    `copy_error` says why the copy of the catalogue cannot be read, if there is one.
    `unread` shards may be as they were written: their folder is missing as a whole, or the system refuses to read them.
    """

    lost_commits: int
    shards: int
    size_bytes: int
    without_checksum: int
    copy_error: LibraryDamaged | LibraryUnavailable | None
    damaged: tuple[FaultyShard[LibraryDamaged], ...]
    unread: tuple[FaultyShard[LibraryUnavailable], ...]


def examine(folder: Path) -> Examination:
    """Read catalogue and shards of the library in `folder`. Errors of shards are reported; others as in
    `open_library`."""
    migrate_catalogue(folder)
    stamp = read_stamp(folder)
    with reading_migrated(folder) as connection:
        read_whole(connection)
        snapshot = read_snapshot(connection)
    shards = snapshot.shards
    faulty = list(_faulty_shards(folder, snapshot))
    if faulty:  # shards that a writer merged or removed meanwhile are not damaged
        with reading_migrated(folder) as connection:
            registered = set(read_shards(connection))
        faulty = [(shard, error) for shard, error in faulty if shard in registered]
    return Examination(
        lost_commits=count_lost_commits(stamp, snapshot),
        shards=len(shards),
        size_bytes=sum(shard.size_bytes for shard in shards),
        without_checksum=sum(shard.checksum is None for shard in shards),
        copy_error=_copy_error(folder),
        damaged=tuple(FaultyShard(shard, error) for shard, error in faulty if isinstance(error, LibraryDamaged)),
        unread=tuple(FaultyShard(shard, error) for shard, error in faulty if isinstance(error, LibraryUnavailable)),
    )


def _copy_error(folder: Path) -> LibraryDamaged | LibraryUnavailable | None:
    try:
        if not has_backup(folder):
            return None
        with reading(folder / BACKUP_FOLDER) as connection:
            read_whole(connection)
    except (LibraryDamaged, LibraryUnavailable) as error:
        return error
    return None


def _faulty_shards(folder: Path, snapshot: Snapshot) -> Iterator[tuple[Shard, LibraryDamaged | LibraryUnavailable]]:
    spaces = {space.name: space for space in snapshot.searched}
    absent = absent_folders(folder, snapshot.shards)
    for shard in snapshot.shards:
        parent = shard.relative_path.parent
        if parent in absent:
            yield shard, folder_absent(folder, parent, len(absent[parent]))
            continue
        try:
            damage = find_damage(folder, shard, spaces)
        except LibraryUnavailable as error:
            yield shard, error
        else:
            if damage is not None:
                yield shard, damage
