"""Finding damage in a library, and mending it: nothing is deleted that could still be of use.

What damaged shards held is to be computed again from the media: those files wait for the next run of the indexer. A
catalogue that cannot be read is put aside with all that belongs to it, since vectors do not say what they are of.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import LibraryDamaged
from pesearch.store.catalogue.connection import CATALOGUE_FILE, LOG_FILE, transaction
from pesearch.store.catalogue.create import apply_migrations, is_older, migrate_catalogue, reading_as_now
from pesearch.store.catalogue.extents import read_shards
from pesearch.store.catalogue.mutations import lose_shards, raise_generation, rename_library
from pesearch.store.catalogue.snapshot import Snapshot, read_snapshot
from pesearch.store.catalogue.stamp import GENERATION_FILE, lost_commits, read_stamp, write_stamp
from pesearch.store.disk.durable import disk_errors
from pesearch.store.disk.lock import writer_lock
from pesearch.store.disk.quarantine import quarantine
from pesearch.store.shards.checksum import find_damage
from pesearch.store.shards.format import FEATURE_FOLDER, VECTOR_FOLDER, Shard


@dataclass(frozen=True, slots=True)
class DamagedShard:
    """A shard that is not as it was written, and why."""

    shard: Shard
    error: LibraryDamaged


@dataclass(frozen=True, slots=True)
class Examination:
    """What was read of a library: `unsigned` shards are of an older program and have no checksum.

    `lost_commits` are missing from a catalogue that is older than what was announced, such as a copy put back.
    """

    lost_commits: int
    shards: int
    size_bytes: int
    unsigned: int
    damaged: tuple[DamagedShard, ...]


def examine(folder: Path) -> Examination:
    """Read every shard of the library in `folder`. Errors as in `open_library`; a damaged shard is none of them."""
    migrate_catalogue(folder)
    stamp = read_stamp(folder)
    snapshot = _snapshot(folder)
    shards = snapshot.shards
    spaces = {space.name: space for space in snapshot.searched}
    checked = ((shard, find_damage(folder, shard, spaces)) for shard in shards)
    damaged = [DamagedShard(shard, error) for shard, error in checked if error is not None]
    if damaged:  # what was merged or removed meanwhile is gone by right
        with reading_as_now(folder) as connection:
            registered = set(read_shards(connection))
        damaged = [each for each in damaged if each.shard in registered]
    return Examination(
        lost_commits=lost_commits(stamp, snapshot),
        shards=len(shards),
        size_bytes=sum(shard.size_bytes for shard in shards),
        unsigned=sum(shard.checksum is None for shard in shards),
        damaged=tuple(damaged),
    )


def repair(folder: Path) -> Iterator[str]:
    """Mend the library in `folder`, and say what is done, a line each; none when nothing is damaged.

    `LibraryBusy` when another process writes to it, `LibraryTooNew` as in `open_library`.
    """
    if not (folder / CATALOGUE_FILE).exists():
        return
    with writer_lock(folder):
        if not _is_readable(folder):
            yield _mend_catalogue(folder)
        elif lost := lost_commits(read_stamp(folder), _snapshot(folder)):
            _begin_anew(folder)
            yield f"the last {lost} commits are missing: `pesearch index PATH` embeds again what they held"
    if not (folder / CATALOGUE_FILE).exists():
        return
    for each in examine(folder).damaged:
        with writer_lock(folder):
            yield _give_up(folder, each.shard)


def _mend_catalogue(folder: Path) -> str:
    """Tries without the log of the last commits first: the catalogue itself is then as it was before them."""
    if (folder / LOG_FILE).exists():
        aside = quarantine(folder, [LOG_FILE])
        if _is_readable(folder):
            _begin_anew(folder)
            return (
                f"the log of the last commits was damaged and now lies in {aside}: "
                "`pesearch index PATH` embeds again what they held"
            )
    aside = quarantine(folder, [CATALOGUE_FILE, GENERATION_FILE, VECTOR_FOLDER, FEATURE_FOLDER])
    return (
        f"the catalogue cannot be read: it now lies in {aside}, with its vectors, which are of no use without it. "
        f"Put these back with a copy of {CATALOGUE_FILE} if you have one, else `pesearch index PATH` embeds all again"
    )


def _give_up(folder: Path, shard: Shard) -> str:
    with transaction(folder) as connection:
        files = lose_shards(connection, [shard])
        raise_generation(connection)
    _announce(folder)
    return f"{shard.place} was damaged and is given up: `pesearch index PATH` embeds what {files} files had in it again"


def _begin_anew(folder: Path) -> None:
    """Readers may hold a later generation than the catalogue now is of."""
    last = read_stamp(folder).partition(" ")[0]
    with transaction(folder) as connection:
        rename_library(connection, uuid.uuid4().hex, int(last) if last.isdecimal() else 0)
    _announce(folder)


def _announce(folder: Path) -> None:
    with disk_errors(folder):
        write_stamp(folder, _snapshot(folder).stamp)


def _snapshot(folder: Path) -> Snapshot:
    with reading_as_now(folder) as connection:
        return read_snapshot(connection)


def _is_readable(folder: Path) -> bool:
    """Whether the catalogue can be read, once it is brought up to this program's schema."""
    try:
        if is_older(folder):
            apply_migrations(folder)
        _snapshot(folder)
    except LibraryDamaged:
        return False
    return True
