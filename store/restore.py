"""Take shards back from a quarantine: those that are as they were written after all, as when a disk read them wrongly.

Their rows return to the files that were not embedded again meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb

from pesearch.errors import LibraryError, LibraryUnavailable, ModelMismatch
from pesearch.store.catalogue.connection import reading, transaction
from pesearch.store.catalogue.create import apply_migrations, needs_migration
from pesearch.store.catalogue.discard_manifest import (
    MANIFEST_FILE,
    read_manifest,
    read_manifests,
    write_manifest,
)
from pesearch.store.catalogue.discarded import (
    Discarded,
    MarkedLocation,
    missing_contents,
    restore_shards,
    unmark_locations,
)
from pesearch.store.catalogue.mutations import raise_generation
from pesearch.store.catalogue.snapshot import Snapshot, read_snapshot
from pesearch.store.catalogue.stamp import read_stamp, require_last_commit, write_stamp
from pesearch.store.disk.durable import disk_errors, sync_folder
from pesearch.store.disk.lock import writer_lock
from pesearch.store.disk.quarantine import move, remove_if_empty
from pesearch.store.shards.checksum import find_damage
from pesearch.store.shards.format import Shard
from pesearch.store.shards.records import WrittenShard


def restore(folder: Path, name: str) -> str:
    """Take back the shards in the quarantine `name` of the library in `folder` that are as they were written. What was
    done, in a line.

    Raises LibraryError when there is nothing to take back, ModelMismatch for shards of other models, LibraryBusy,
    LibraryUnavailable.
    """
    with disk_errors(folder), writer_lock(folder):
        quarantine = folder / Path(name).name
        if needs_migration(folder):
            apply_migrations(folder)
        with reading(folder) as connection:
            snapshot = read_snapshot(connection)
            require_last_commit(folder, read_stamp(folder), snapshot)
            discarded = _read(quarantine, snapshot)
            lacking = [each for each in missing_contents(connection, discarded) if each.contents]
        where = {each.shard: _sound_in(folder, quarantine, each.shard, snapshot) for each in lacking}
        sound = [each for each in lacking if where[each.shard] is not None]
        remarks = _remarks(len(discarded.shards) - len(lacking), len(lacking) - len(sound))
        if not sound:
            raise LibraryError(f"Nothing in {quarantine} can be taken back: {', '.join(remarks)}")
        move(quarantine, folder, [each.shard.relative_path for each in sound if where[each.shard] == quarantine])
        with transaction(folder) as connection:
            restore_shards(connection, sound)
            unmark_locations(connection, _complete(connection, read_manifests(folder).values()))
            raise_generation(connection)
        with reading(folder) as connection:
            write_stamp(folder, read_snapshot(connection).stamp)
        _forget(quarantine, discarded, sound)
        files = len({content for each in sound for content, _, _ in each.contents})
        return "; ".join([f"{name}: {len(sound)} shards with data of {files} files are in use again", *remarks])


def _read(quarantine: Path, snapshot: Snapshot) -> Discarded:
    """The manifest of a quarantine. Raises LibraryError if it has none, ModelMismatch if it is of other models."""
    discarded = read_manifest(quarantine)
    if discarded is None:
        raise LibraryError(f"{quarantine} holds no shards that this library discarded")
    if set(discarded.spaces) != set(snapshot.searched):
        raise ModelMismatch(
            f"{quarantine} holds vectors of other models than the library has: move it out of the library"
        )
    return discarded


def _sound_in(folder: Path, quarantine: Path, shard: Shard, snapshot: Snapshot) -> Path | None:
    """Where a shard is as it was written: in the quarantine, or still in its place if it could not be moved."""
    spaces = {space.name: space for space in snapshot.searched}
    for place in (quarantine, folder):
        with suppress(LibraryUnavailable):
            if find_damage(place, shard, spaces) is None:
                return place
    return None


def _remarks(unneeded: int, damaged: int) -> list[str]:
    found = []
    if unneeded:
        found.append(f"no file lacks the data of {unneeded} shards")
    if damaged:
        found.append(f"{damaged} shards are missing, cannot be read or differ from what was written")
    return found


def _complete(connection: duckdb.DuckDBPyConnection, manifests: Iterable[Discarded]) -> list[MarkedLocation]:
    """The locations of files that lack nothing that was ever discarded."""
    known = list(manifests)
    lacking = {
        content
        for discarded in known
        for each in missing_contents(connection, discarded)
        for content, _, _ in each.contents
    }
    locations = (location for discarded in known for location in discarded.locations)
    return [location for location in locations if location.fingerprint not in lacking]


def _forget(quarantine: Path, discarded: Discarded, restored: Sequence[WrittenShard]) -> None:
    """Remove restored shards from the manifest; remove a quarantine that holds nothing else."""
    back = {each.shard for each in restored}
    left = tuple(each for each in discarded.shards if each.shard not in back)
    if left:
        write_manifest(quarantine, Discarded(discarded.library_id, discarded.spaces, left, discarded.locations))
        return
    (quarantine / MANIFEST_FILE).unlink()
    remove_if_empty(quarantine)
    sync_folder(quarantine.parent)
