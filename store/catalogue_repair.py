"""Repair the catalogue of a library: without its log, or by its copy, or else move all that is left to a quarantine."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pesearch.errors import LibraryDamaged, LibraryNotFound, LibraryUnavailable
from pesearch.store.catalogue.backup import has_backup, read_whole
from pesearch.store.catalogue.connection import transaction
from pesearch.store.catalogue.create import apply_migrations, needs_migration, reading_migrated
from pesearch.store.catalogue.disk_files import BACKUP_FOLDER, CATALOGUE_FILE, LOG_FILE
from pesearch.store.catalogue.mutations import rename_library
from pesearch.store.catalogue.snapshot import Snapshot, read_snapshot
from pesearch.store.catalogue.stamp import GENERATION_FILE, read_stamp, write_stamp
from pesearch.store.disk.durable import disk_errors, write_durably
from pesearch.store.disk.os_errors import unavailable
from pesearch.store.disk.page_cache import drop_from_memory
from pesearch.store.disk.quarantine import move, new_quarantine, quarantine
from pesearch.store.shards.format import FEATURE_FOLDER, VECTOR_FOLDER, find_strays
from pesearch.store.shards.presence import require_folders


def repair_catalogue(folder: Path, *, force: bool) -> Iterator[str]:
    """Try without the write-ahead log first: without it the catalogue is as before the last commits. Then the copy."""
    if not force:
        for name in (CATALOGUE_FILE, LOG_FILE):
            _require_bytes(folder, name)
    if (folder / LOG_FILE).exists():
        target = quarantine(folder, [LOG_FILE])
        if is_catalogue_readable(folder, force=force):
            if not force:
                require_folders(folder, snapshot_of(folder).shards)  # the next repair finds commits lost
            quarantine_strays(folder)
            assign_new_id(folder)
            yield (
                f"the log of the last commits was damaged and has been moved to {target}: "
                "`pesearch index PATH` embeds their files again"
            )
            return
    if _has_backup(folder, force=force):
        yield use_backup(folder, force=force)
        return
    target = _quarantine_all(folder)
    yield (
        f"the catalogue is missing or cannot be read, and so is its copy: what is left is in {target}, with the "
        f"vectors, useless without it: move them back with a backup of {CATALOGUE_FILE}, or embed all again with "
        "`pesearch index PATH`"
    )


def _quarantine_all(folder: Path) -> Path:
    """Move what is left of a library to a quarantine. Raises LibraryUnavailable, and changes nothing, if shards are in
    a folder that cannot be moved."""
    shards = (Path(VECTOR_FOLDER), Path(FEATURE_FOLDER))
    with new_quarantine(folder) as target:
        move(folder, target, shards)
        if stays := find_strays(folder, ()):
            move(target, folder, shards)
            mounted = stays[0].relative_to(folder).parts[0]
            raise LibraryUnavailable(
                f"The catalogue of the library {folder} and its copy are lost, and {folder / mounted} is the mount "
                f"point of a drive: put back a backup of {CATALOGUE_FILE}, or move all that is on the drive elsewhere, "
                "run `pesearch doctor --repair`, and embed all again with `pesearch index PATH`"
            )
        move(folder, target, map(Path, (CATALOGUE_FILE, GENERATION_FILE, BACKUP_FOLDER)))
    return target


def use_backup(folder: Path, *, force: bool, what: str = "was damaged") -> str:
    """Put the copy of the catalogue in place. Shards that it does not know go to the quarantine."""
    backup = folder / BACKUP_FOLDER
    snapshot = snapshot_of(backup)
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
    assign_new_id(folder)
    return (
        f"the catalogue {what} and has been moved to {target}: its copy is in use, and `pesearch index PATH` "
        "embeds again what was added after it was made"
    )


def has_last_commit(folder: Path) -> bool:
    """Whether the copy of the catalogue holds the last commit."""
    return _has_backup(folder, force=True) and snapshot_of(folder / BACKUP_FOLDER).stamp == read_stamp(folder)


def quarantine_strays(folder: Path) -> Path | None:
    """Move shards that the catalogue does not know to a quarantine: a lost commit may have registered them."""
    if not find_strays(folder, snapshot_of(folder).shards):
        return None
    with new_quarantine(folder) as target:
        _move_strays(folder, target)
    return target


def _move_strays(folder: Path, target: Path) -> None:
    strays = find_strays(folder, snapshot_of(folder).shards)
    move(folder, target, (path.relative_to(folder) for path in strays))


def assign_new_id(folder: Path) -> None:
    """Give the library a new id: readers may have a later generation in memory than the catalogue has now."""
    last = read_stamp(folder).partition(" ")[0]
    with transaction(folder) as connection:
        rename_library(connection, uuid.uuid4().hex, int(last) if last.isdecimal() else 0)
    announce_generation(folder)


def announce_generation(folder: Path) -> None:
    """Write the generation file, by which readers notice the last commit."""
    with disk_errors(folder):
        write_stamp(folder, snapshot_of(folder).stamp)


def snapshot_of(folder: Path) -> Snapshot:
    """What the catalogue of the library in `folder` holds now."""
    with reading_migrated(folder) as connection:
        return read_snapshot(connection)


def is_catalogue_readable(folder: Path, *, force: bool = False) -> bool:
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
        return has_backup(folder) and is_catalogue_readable(folder / BACKUP_FOLDER)
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
