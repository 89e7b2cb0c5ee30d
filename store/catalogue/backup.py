"""The copy of the catalogue, `backup/library.duckdb`, from which a damaged catalogue is repaired.

It is replaced at the end of a writer's work, and before shards that it knows are deleted. All of it is read before it
replaces the last copy, so that damage in the catalogue never reaches the copy.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from pesearch.store.catalogue.connection import reading, transaction
from pesearch.store.catalogue.disk_files import BACKUP_FOLDER, CATALOGUE_FILE, LOG_FILE
from pesearch.store.catalogue.snapshot import read_catalogue_stamp
from pesearch.store.catalogue.stamp import read_stamp, write_stamp
from pesearch.store.disk.durable import AtomicFile, disk_errors, make_folder, undone_by
from pesearch.store.disk.os_errors import no_space_left

_TABLES = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"


def back_up_catalogue(folder: Path, stamp: str) -> None:
    """Copy the catalogue of the library in `folder`, which is at `stamp`, unless the copy is. The caller holds the
    writer's lock.

    Raises LibraryDamaged if the catalogue is damaged, and NoSpaceLeft; then the last copy stays.
    """
    target = folder / BACKUP_FOLDER
    if read_stamp(target) == stamp and (target / CATALOGUE_FILE).exists():
        return
    if (folder / LOG_FILE).exists():
        with transaction(folder):  # folds the log into the catalogue when it ends
            pass
        if (folder / LOG_FILE).exists():
            raise no_space_left(folder)
    with disk_errors(folder):
        make_folder(target)
        file = AtomicFile(target / CATALOGUE_FILE, durable=True)
        with undone_by(file.abandon):
            with reading(folder) as connection, (folder / CATALOGUE_FILE).open("rb") as source:
                copied_stamp = read_catalogue_stamp(connection)
                shutil.copyfileobj(source, file.sink, 1 << 20)
                file.sink.flush()
            with reading(target, file.temporary.name) as connection:
                read_whole(connection)
            file.commit()
        write_stamp(target, copied_stamp)


def has_backup(folder: Path) -> bool:
    """Whether there is a copy of the catalogue, readable or not. Raises LibraryUnavailable."""
    with disk_errors(folder):
        try:
            (folder / BACKUP_FOLDER / CATALOGUE_FILE).stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True


def read_whole(connection: duckdb.DuckDBPyConnection) -> None:
    """Read every value of a catalogue, so that damage anywhere is an error: DuckDB compares checksums of what it
    reads."""
    tables = [name for (name,) in connection.execute(_TABLES).fetchall()]
    connection.execute(" UNION ALL ".join(f"SELECT bit_xor(hash({table})) FROM {table}" for table in tables)).fetchall()
