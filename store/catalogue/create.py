"""Create a catalogue, and migrate an older one to this program's schema: in place, or in a copy if it is read-only."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from pesearch import timeline
from pesearch.errors import LibraryBusy, LibraryDamaged, LibraryError
from pesearch.store.catalogue.connection import new_catalogue, reading, require_openable, transaction
from pesearch.store.catalogue.disk_files import CATALOGUE_FILE, LOG_FILE, missing_catalogue
from pesearch.store.catalogue.schema import MIGRATIONS, migrate, schema_number
from pesearch.store.catalogue.stamp import write_stamp
from pesearch.store.disk.durable import PRIVATE, AtomicFile, disk_errors, make_folder
from pesearch.store.disk.lock import writer_lock
from pesearch.store.disk.permissions import may_write
from pesearch.store.disk.quarantine import quarantine
from pesearch.temporary_folder import TemporaryFolder
from pesearch.types import Space


def create_catalogue(folder: Path, model_set: str, spaces: Sequence[Space]) -> None:
    """Write an empty catalogue. It is renamed into place when complete, so no partial library ever exists.

    A folder that does not exist is created for this user alone: the catalogue holds all cues, the other files pictures.
    Raises LibraryError if there is a library, LibraryDamaged if there is one that has lost its catalogue.
    """
    require_openable(folder)
    with disk_errors(folder):
        make_folder(folder, PRIVATE)
    with writer_lock(folder):
        with disk_errors(folder):
            _require_vacant(folder)
            if (folder / LOG_FILE).exists():  # of a deleted catalogue: DuckDB would replay it into the new one
                quarantine(folder, [LOG_FILE])
        file = AtomicFile(folder / CATALOGUE_FILE, durable=True)
        library_id = uuid.uuid4().hex
        with disk_errors(folder):
            for left_behind in folder.glob(file.temporary.name + "*"):
                left_behind.unlink()
            with new_catalogue(file.temporary) as connection:
                _fill(connection, library_id, model_set, spaces)
                connection.execute("CHECKPOINT")  # closing the connection would not report a full disk
            write_stamp(folder, f"0 {library_id}")
            file.commit()


def _require_vacant(folder: Path) -> None:
    if (folder / CATALOGUE_FILE).exists():
        raise LibraryError(f"There is a library in {folder} already")
    if isinstance(lost := missing_catalogue(folder), LibraryDamaged):
        raise lost


def migrate_catalogue(folder: Path) -> None:
    """Apply missing migrations, unless the library is read-only, is another user's, or another process writes to it.

    Raises LibraryTooNew for a schema that this program does not know.
    """
    if needs_migration(folder) and may_write(folder):
        with suppress(LibraryBusy), writer_lock(folder):
            apply_migrations(folder)


@contextmanager
def reading_migrated(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """As `reading`, with this program's schema: an older catalogue is copied, and the copy migrated."""
    with reading(folder) as connection:
        is_current = schema_number(connection) == len(MIGRATIONS)
        if is_current:
            yield connection
    if not is_current:
        with TemporaryFolder() as copy:
            _copy(folder, Path(copy))
            apply_migrations(Path(copy))
            with reading(Path(copy)) as connection:
                yield connection


def needs_migration(folder: Path) -> bool:
    """Whether the catalogue lacks a migration. Raises LibraryTooNew for a schema that this program does not know."""
    with reading(folder) as connection:
        return schema_number(connection) < len(MIGRATIONS)


def apply_migrations(folder: Path) -> None:
    """Apply missing migrations. The caller holds the writer's lock."""
    with transaction(folder) as connection:
        migrate(connection)


def _copy(folder: Path, target: Path) -> None:
    with reading(folder), disk_errors(target):  # no process can write during a read
        for name in (CATALOGUE_FILE, LOG_FILE):
            if (folder / name).exists():
                shutil.copyfile(folder / name, target / name)


def _fill(connection: duckdb.DuckDBPyConnection, library_id: str, model_set: str, spaces: Sequence[Space]) -> None:
    connection.begin()
    for migration in MIGRATIONS:
        connection.execute(migration)
    connection.execute(
        "INSERT INTO library VALUES (?, ?, 0, ?, ?, ?, ?)",
        [
            len(MIGRATIONS),
            library_id,
            model_set,
            timeline.WINDOW_SECONDS,
            timeline.HOP_SECONDS,
            timeline.FRAMES_PER_SECOND,
        ],
    )
    for space in spaces:
        connection.execute(
            "INSERT INTO spaces VALUES (?, ?, ?, ?)", [space.name.value, space.model, space.revision, space.dim]
        )
    connection.commit()
