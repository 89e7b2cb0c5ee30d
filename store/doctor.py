"""Find damage in a library, and repair it without deleting anything that may still be useful.

Files with data in damaged shards are indexed again by the next run of the indexer. An unreadable catalogue is moved to
quarantine together with the shards, which cannot be attributed to files without it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import LibraryDamaged
from pesearch.store.catalogue.connection import CATALOGUE_FILE, LOG_FILE, transaction
from pesearch.store.catalogue.create import apply_migrations, migrate_catalogue, needs_migration, reading_migrated
from pesearch.store.catalogue.extents import read_shards
from pesearch.store.catalogue.mutations import discard_shards, raise_generation, rename_library
from pesearch.store.catalogue.snapshot import Snapshot, read_snapshot
from pesearch.store.catalogue.stamp import GENERATION_FILE, count_lost_commits, read_stamp, write_stamp
from pesearch.store.disk.durable import disk_errors
from pesearch.store.disk.lock import writer_lock
from pesearch.store.disk.quarantine import quarantine
from pesearch.store.shards.checksum import find_damage
from pesearch.store.shards.format import FEATURE_FOLDER, VECTOR_FOLDER, Shard


@dataclass(frozen=True, slots=True)
class DamagedShard:
    """A shard that differs from what was written, and how."""

    shard: Shard
    error: LibraryDamaged


@dataclass(frozen=True, slots=True)
class Examination:
    """The result of reading a whole library. `without_checksum` shards were written by an older program.

    `lost_commits` is how far the catalogue is behind the generation file, as after restoring an old copy of it.
    """

    lost_commits: int
    shards: int
    size_bytes: int
    without_checksum: int
    damaged: tuple[DamagedShard, ...]


def examine(folder: Path) -> Examination:
    """Read every shard of the library in `folder`. Damaged shards are reported; other errors as in `open_library`."""
    migrate_catalogue(folder)
    stamp = read_stamp(folder)
    snapshot = _snapshot(folder)
    shards = snapshot.shards
    spaces = {space.name: space for space in snapshot.searched}
    checked = ((shard, find_damage(folder, shard, spaces)) for shard in shards)
    damaged = [DamagedShard(shard, error) for shard, error in checked if error is not None]
    if damaged:  # shards that a writer merged or removed meanwhile are not damaged
        with reading_migrated(folder) as connection:
            registered = set(read_shards(connection))
        damaged = [found for found in damaged if found.shard in registered]
    return Examination(
        lost_commits=count_lost_commits(stamp, snapshot),
        shards=len(shards),
        size_bytes=sum(shard.size_bytes for shard in shards),
        without_checksum=sum(shard.checksum is None for shard in shards),
        damaged=tuple(damaged),
    )


def repair(folder: Path) -> Iterator[str]:
    """Repair the library in `folder`, and report each repair in a line.

    Raises LibraryBusy when another process writes to it, and LibraryTooNew.
    """
    if not (folder / CATALOGUE_FILE).exists():
        return
    with writer_lock(folder):
        if not _is_readable(folder):
            yield _repair_catalogue(folder)
        elif lost := count_lost_commits(read_stamp(folder), _snapshot(folder)):
            _rename_library(folder)
            yield f"the last {lost} commits are missing: `pesearch index PATH` embeds their files again"
    if not (folder / CATALOGUE_FILE).exists():
        return
    for damaged in examine(folder).damaged:
        with writer_lock(folder):
            yield _discard_shard(folder, damaged.shard)


def _repair_catalogue(folder: Path) -> str:
    """Try without the write-ahead log first: without it the catalogue is as before the last commits."""
    if (folder / LOG_FILE).exists():
        target = quarantine(folder, [LOG_FILE])
        if _is_readable(folder):
            _rename_library(folder)
            return (
                f"the log of the last commits was damaged and has been moved to {target}: "
                "`pesearch index PATH` embeds their files again"
            )
    target = quarantine(folder, [CATALOGUE_FILE, GENERATION_FILE, VECTOR_FOLDER, FEATURE_FOLDER])
    return (
        f"the catalogue cannot be read and has been moved to {target}, with the vectors, which are useless without it: "
        f"restore them with a backup of {CATALOGUE_FILE} if there is one, else `pesearch index PATH` embeds all again"
    )


def _discard_shard(folder: Path, shard: Shard) -> str:
    with transaction(folder) as connection:
        files = discard_shards(connection, [shard])
        raise_generation(connection)
    _write_stamp(folder)
    name = shard.relative_path
    return f"{name} was damaged and has been discarded: `pesearch index PATH` embeds its {files} files again"


def _rename_library(folder: Path) -> None:
    """Give the library a new id: readers may have a later generation in memory than the catalogue has now."""
    last = read_stamp(folder).partition(" ")[0]
    with transaction(folder) as connection:
        rename_library(connection, uuid.uuid4().hex, int(last) if last.isdecimal() else 0)
    _write_stamp(folder)


def _write_stamp(folder: Path) -> None:
    with disk_errors(folder):
        write_stamp(folder, _snapshot(folder).stamp)


def _snapshot(folder: Path) -> Snapshot:
    with reading_migrated(folder) as connection:
        return read_snapshot(connection)


def _is_readable(folder: Path) -> bool:
    """Whether the catalogue can be read, after migration to this program's schema."""
    try:
        if needs_migration(folder):
            apply_migrations(folder)
        _snapshot(folder)
    except LibraryDamaged:
        return False
    return True
