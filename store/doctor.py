"""Repair a library without deleting anything: what is discarded goes to a quarantine, from which `restore` takes it.

Only content is damage. What cannot be read now may be as it was written, so repair then changes nothing: its drive is
not connected, the permissions are others, the drive fails. Files with data in discarded shards are indexed again by the
next run of the indexer. A damaged catalogue is replaced by its copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from pesearch.errors import LibraryDamaged, LibraryError, LibraryUnavailable
from pesearch.file_owner import is_own, user_name
from pesearch.store.catalogue.connection import transaction
from pesearch.store.catalogue.discard_manifest import MANIFEST_FILE, write_manifest
from pesearch.store.catalogue.discarded import discard_shards
from pesearch.store.catalogue.disk_files import BACKUP_FOLDER, CATALOGUE_FILE, missing_catalogue
from pesearch.store.catalogue.mutations import raise_generation
from pesearch.store.catalogue_repair import (
    announce_generation,
    assign_new_id,
    has_last_commit,
    is_catalogue_readable,
    quarantine_strays,
    repair_catalogue,
    snapshot_of,
    use_backup,
)
from pesearch.store.disk.durable import disk_errors, undone_by
from pesearch.store.disk.lock import writer_lock
from pesearch.store.disk.quarantine import move, new_quarantine, quarantine
from pesearch.store.disk.regular_files import require_regular_files
from pesearch.store.examination import examine
from pesearch.store.shards.checksum import shard_schema
from pesearch.store.shards.format import FEATURE_FOLDER, VECTOR_FOLDER, Shard
from pesearch.store.shards.parity_repair import repair_by_parity
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
        with writer_lock(folder, as_root=force):
            if not force:
                _require_owner(folder)
            if not is_catalogue_readable(folder, force=force):
                yield from repair_catalogue(folder, force=force)
            if (folder / CATALOGUE_FILE).exists():
                yield from _repair_shards(folder, force=force)


def _has_library(folder: Path) -> bool:
    """Whether there is a library, or what is left of one that has lost its catalogue."""
    return (folder / CATALOGUE_FILE).exists() or isinstance(missing_catalogue(folder), LibraryDamaged)


def _repair_shards(folder: Path, *, force: bool) -> Iterator[str]:
    found = examine(folder)
    copies = [found.copy_error] if isinstance(found.copy_error, LibraryUnavailable) else []
    unread = [*(each.error for each in found.unread), *copies]
    if unread and not force:
        raise unread[0]
    if isinstance(found.copy_error, LibraryDamaged):
        target = quarantine(folder, [BACKUP_FOLDER])
        yield f"the copy of the catalogue was damaged, and is in {target.name}: it is made again"
    if found.lost_commits and has_last_commit(folder):
        yield use_backup(folder, force=force, what="was older than its last commits")
        yield from _repair_shards(folder, force=force)
        return
    if found.lost_commits:
        yield _accept_lost_commits(folder, found.lost_commits)
    damaged = [each.shard for each in found.damaged]
    if damaged:
        spaces = {space.name: space for space in snapshot_of(folder).searched}
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
    snapshot = snapshot_of(folder)
    with (
        new_quarantine(folder) as target,
        undone_by(partial(_withdraw_manifest, folder, target, shards)),
        transaction(folder) as connection,
    ):
        discarded = discard_shards(connection, snapshot.library_id, snapshot.searched, shards)
        write_manifest(target, discarded)
        raise_generation(connection)
    announce_generation(folder)
    for each in discarded.shards:
        with suppress(LibraryUnavailable):  # then it stays in its place
            move(folder, target, [each.shard.relative_path])
        files = len({content for content, _, _ in each.contents})
        yield (
            f"{each.shard.relative_path} is out of use, kept in {target.name}: `pesearch index PATH` embeds its "
            f"{files} files again; if it turns out well, `pesearch doctor --restore {target.name}` takes it back"
        )


def _withdraw_manifest(folder: Path, target: Path, shards: Sequence[Shard]) -> None:
    """Delete the manifest of shards that a transaction did not discard, as on a full disk."""
    with suppress(LibraryError):  # whether it did is not known: a manifest too many does no harm
        if set(shards) <= set(snapshot_of(folder).shards):
            (target / MANIFEST_FILE).unlink(missing_ok=True)


def _accept_lost_commits(folder: Path, lost: int) -> str:
    target = quarantine_strays(folder)
    assign_new_id(folder)
    kept = f", their vectors are in {target.name}" if target else ""
    return f"the last {lost} commits are missing{kept}: `pesearch index PATH` embeds their files again"


def _require_owner(folder: Path) -> None:
    """Raises LibraryUnavailable if a folder of the library belongs to another user."""
    inside = [folder, *(folder / name for name in (VECTOR_FOLDER, FEATURE_FOLDER)), *(folder / VECTOR_FOLDER).glob("*")]
    for each in inside:
        if each.is_dir() and not is_own(status := each.stat()):
            raise LibraryUnavailable(
                f"{each} belongs to {user_name(status.st_uid)}: run the command as that user, or with "
                "`--repair --force`"
            )
