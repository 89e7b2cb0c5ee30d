"""Repair a library without deleting anything: what is discarded goes to a quarantine, from which `restore` takes it.

Only content is damage. What cannot be read now may be as it was written, so repair then changes nothing: its drive is
not connected, the permissions are others, the drive fails. Files with data in discarded shards are indexed again by the
next run of the indexer. A damaged catalogue is replaced by its copy.
"""

from __future__ import annotations

import errno
import os
import pwd
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pesearch.errors import LibraryDamaged, LibraryNotFound, LibraryUnavailable
from pesearch.store.catalogue.backup import has_backup, read_whole
from pesearch.store.catalogue.connection import BACKUP_FOLDER, CATALOGUE_FILE, LOG_FILE, transaction
from pesearch.store.catalogue.create import apply_migrations, needs_migration, reading_migrated
from pesearch.store.catalogue.discard_manifest import write_manifest
from pesearch.store.catalogue.discarded import discard_shards
from pesearch.store.catalogue.mutations import raise_generation, rename_library
from pesearch.store.catalogue.snapshot import Snapshot, read_snapshot
from pesearch.store.catalogue.stamp import GENERATION_FILE, read_stamp, write_stamp
from pesearch.store.disk.durable import disk_errors, write_durably
from pesearch.store.disk.lock import writer_lock
from pesearch.store.disk.os_errors import unavailable
from pesearch.store.disk.quarantine import move, new_quarantine, quarantine
from pesearch.store.disk.regular_files import require_regular_files
from pesearch.store.examination import examine
from pesearch.store.shards.checksum import drop_from_memory, shard_schema
from pesearch.store.shards.format import FEATURE_FOLDER, VECTOR_FOLDER, Shard, find_strays
from pesearch.store.shards.parity_repair import repair_by_parity
from pesearch.store.shards.presence import require_folders
from pesearch.types import Space, SpaceName


def repair(folder: Path, *, force: bool = False) -> Iterator[str]:
    """Repair the library in `folder`, and report each repair in a line. With `force` shards that cannot be read now, or
    whose folder is missing, are discarded too.

    Raises LibraryBusy when another process writes to it, LibraryTooNew, and LibraryUnavailable when something cannot be
    read now or belongs to another user; then nothing was changed.
    """
    require_regular_files(folder)
    with disk_errors(folder):
        if not _has_library(folder):
            return
        with writer_lock(folder):
            if not force:
                _require_owner(folder)
            if not _is_readable(folder, force=force):
                yield from _repair_catalogue(folder, force=force)
            if (folder / CATALOGUE_FILE).exists():
                yield from _repair_shards(folder, force=force)


def _has_library(folder: Path) -> bool:
    """Whether there is a library, or what is left of one that has lost its catalogue."""
    catalogues = (folder / CATALOGUE_FILE, folder / BACKUP_FOLDER / CATALOGUE_FILE)
    return any(path.exists() for path in catalogues) or bool(find_strays(folder, ()))


def _repair_shards(folder: Path, *, force: bool) -> Iterator[str]:
    found = examine(folder)
    copies = [found.copy_error] if isinstance(found.copy_error, LibraryUnavailable) else []
    unread = [*(each.error for each in found.unread), *copies]
    if unread and not force:
        raise unread[0]
    if isinstance(found.copy_error, LibraryDamaged):
        target = quarantine(folder, [BACKUP_FOLDER])
        yield f"the copy of the catalogue was damaged, and is in {target.name}: it is made again"
    if found.lost_commits and _has_last_commit(folder):
        yield _use_backup(folder, force=force, what="was older than its last commits")
        yield from _repair_shards(folder, force=force)
        return
    if found.lost_commits:
        yield _accept_lost_commits(folder, found.lost_commits)
    damaged = [each.shard for each in found.damaged]
    if damaged:
        spaces = {space.name: space for space in _snapshot(folder).searched}
        restored = [shard for shard in damaged if _is_restored(folder, shard, spaces)]
        damaged = [shard for shard in damaged if shard not in restored]
        yield from (f"{shard.relative_path} was damaged and has been restored: nothing is lost" for shard in restored)
    yield from _discard(folder, [*damaged, *(each.shard for each in found.unread)])


def _is_restored(folder: Path, shard: Shard, spaces: Mapping[SpaceName, Space]) -> bool:
    try:
        return repair_by_parity(folder, shard, shard_schema(shard, spaces))
    except FileNotFoundError:
        return False


def _discard(folder: Path, shards: Sequence[Shard]) -> Iterator[str]:
    """Each step leaves a library that can be used: a shard that is in a manifest is never swept."""
    if not shards:
        return
    snapshot = _snapshot(folder)
    target = new_quarantine(folder)
    with transaction(folder) as connection:
        discarded = discard_shards(connection, snapshot.library_id, snapshot.searched, shards)
        write_manifest(target, discarded)
        raise_generation(connection)
    _write_stamp(folder)
    for each in discarded.shards:
        with suppress(LibraryUnavailable):  # then it stays in its place
            move(folder, target, [each.shard.relative_path])
        files = len({content for content, _, _ in each.contents})
        yield (
            f"{each.shard.relative_path} is out of use, kept in {target.name}: `pesearch index PATH` embeds its "
            f"{files} files again; if it turns out well, `pesearch doctor --restore {target.name}` takes it back"
        )


def _accept_lost_commits(folder: Path, lost: int) -> str:
    target = _quarantine_strays(folder)
    _rename_library(folder)
    kept = f", their vectors are in {target.name}" if target else ""
    return f"the last {lost} commits are missing{kept}: `pesearch index PATH` embeds their files again"


def _repair_catalogue(folder: Path, *, force: bool) -> Iterator[str]:
    """Try without the write-ahead log first: without it the catalogue is as before the last commits. Then the copy."""
    if not force:
        for name in (CATALOGUE_FILE, LOG_FILE):
            _require_bytes(folder, name)
    if (folder / LOG_FILE).exists():
        target = quarantine(folder, [LOG_FILE])
        if _is_readable(folder, force=force):
            if not force:
                require_folders(folder, _snapshot(folder).shards)  # the next repair finds commits lost
            _quarantine_strays(folder)
            _rename_library(folder)
            yield (
                f"the log of the last commits was damaged and has been moved to {target}: "
                "`pesearch index PATH` embeds their files again"
            )
            return
    if _has_backup(folder, force=force):
        yield _use_backup(folder, force=force)
        return
    names = [CATALOGUE_FILE, GENERATION_FILE, BACKUP_FOLDER, VECTOR_FOLDER, FEATURE_FOLDER]
    target = quarantine(folder, names)
    yield (
        f"the catalogue is missing or cannot be read, and so is its copy: what is left is in {target}, with the "
        f"vectors, useless without it: move them back with a backup of {CATALOGUE_FILE}, or embed all again with "
        "`pesearch index PATH`"
    )


def _has_last_commit(folder: Path) -> bool:
    """Whether the copy of the catalogue holds the last commit."""
    return _has_backup(folder, force=True) and _snapshot(folder / BACKUP_FOLDER).stamp == read_stamp(folder)


def _use_backup(folder: Path, *, force: bool, what: str = "was damaged") -> str:
    """Put the copy of the catalogue in place. Shards that it does not know go to the quarantine."""
    backup = folder / BACKUP_FOLDER
    snapshot = _snapshot(backup)
    if not force:
        require_folders(folder, snapshot.shards)
    stamp = read_stamp(folder)
    content = (backup / CATALOGUE_FILE).read_bytes()
    target = quarantine(folder, [CATALOGUE_FILE, LOG_FILE])
    if (folder / CATALOGUE_FILE).exists():
        raise unavailable(folder, CATALOGUE_FILE, errno.EBUSY)
    write_durably(folder / CATALOGUE_FILE, lambda sink: sink.write(content))
    if stamp == snapshot.stamp:
        return f"the catalogue {what} and has been moved to {target}: its copy is in use, nothing is lost"
    _move_strays(folder, target)
    _rename_library(folder)
    return (
        f"the catalogue {what} and has been moved to {target}: its copy is in use, and `pesearch index PATH` "
        "embeds again what was added after it was made"
    )


def _quarantine_strays(folder: Path) -> Path | None:
    """Move shards that the catalogue does not know to a quarantine: a lost commit may have registered them."""
    if not find_strays(folder, _snapshot(folder).shards):
        return None
    target = new_quarantine(folder)
    _move_strays(folder, target)
    return target


def _move_strays(folder: Path, target: Path) -> None:
    strays = find_strays(folder, _snapshot(folder).shards)
    move(folder, target, (path.relative_to(folder) for path in strays))


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


def _is_readable(folder: Path, *, force: bool = False) -> bool:
    """Whether all of the catalogue can be read, from memory or from the disk, after migration to this program's
    schema. With `force` one whose bytes the system refuses cannot be read; else it raises LibraryUnavailable."""
    for _ in range(2):
        try:
            if needs_migration(folder):
                apply_migrations(folder)
            with reading_migrated(folder) as connection:
                read_whole(connection)
                read_snapshot(connection)
        except (LibraryDamaged, LibraryNotFound):
            drop_from_memory(folder / CATALOGUE_FILE)
        except LibraryUnavailable:
            if not force or _has_bytes(folder, CATALOGUE_FILE):
                raise
        else:
            return True
    return False


def _has_backup(folder: Path, *, force: bool) -> bool:
    """Whether there is a copy of the catalogue that can be read. Raises LibraryUnavailable, except with `force`."""
    try:
        return has_backup(folder) and _is_readable(folder / BACKUP_FOLDER)
    except LibraryUnavailable:
        if force:
            return False
        raise


def _has_bytes(folder: Path, name: str) -> bool:
    """Whether the system lets all of a file be read."""
    try:
        _require_bytes(folder, name)
    except LibraryUnavailable:
        return False
    return True


def _require_bytes(folder: Path, name: str) -> None:
    """Raises LibraryUnavailable if a file is there and the system does not let all of it be read."""
    with disk_errors(folder), suppress(FileNotFoundError), (folder / name).open("rb") as file:
        while file.read(1 << 20):
            pass


def _require_owner(folder: Path) -> None:
    """Raises LibraryUnavailable if a folder of the library belongs to another user."""
    inside = [folder, *(folder / name for name in (VECTOR_FOLDER, FEATURE_FOLDER)), *(folder / VECTOR_FOLDER).glob("*")]
    for each in inside:
        if each.is_dir() and (owner := each.stat().st_uid) != os.geteuid():
            raise LibraryUnavailable(
                f"{each} belongs to {_user_name(owner)}: run the command as that user, or with `--repair --force`"
            )


def _user_name(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return f"the user {user_id}"
