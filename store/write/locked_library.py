"""The library that a writer has locked, as long as it is in its folder.

A folder may be moved, deleted, replaced by a link or restored from a backup while a long run writes to it. The library
that is then in its place may have another writer, other models or an older state: nothing is written to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pesearch.store.catalogue.connection import reading, transaction
from pesearch.store.catalogue.mutations import raise_generation
from pesearch.store.catalogue.snapshot import Snapshot, read_catalogue_stamp
from pesearch.store.catalogue.stamp import write_stamp
from pesearch.store.disk.durable import disk_errors
from pesearch.store.disk.lock import WriterLock, library_replaced


class LockedLibrary:
    """Reads and commits of the only writer. Methods raise LibraryError when another library is in the folder."""

    def __init__(self, lock: WriterLock, snapshot: Snapshot) -> None:
        self._lock = lock
        self._library_id = snapshot.library_id
        self._generation = snapshot.generation

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """The folder, to write or delete files in it. Turns OSError into NoSpaceLeft and LibraryError."""
        self._lock.require()
        with disk_errors(self._lock.folder):
            yield self._lock.folder

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to read from the catalogue."""
        self._lock.require()
        with reading(self._lock.folder) as connection:
            self._require_library(connection)
            yield connection

    def commit(self, change: Callable[[duckdb.DuckDBPyConnection], None]) -> int:
        """Make a change in one transaction, and announce the new generation, which is returned."""
        self._lock.require()
        with transaction(self._lock.folder) as connection:
            self._require_library(connection)
            change(connection)
            generation = raise_generation(connection)
            self._lock.require()  # DuckDB creates its log by path
        self._generation = generation
        with self.folder() as folder:
            write_stamp(folder, f"{generation} {self._library_id}")
        return generation

    def _require_library(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Raises LibraryError if the catalogue is that of another library, or an older copy of this one."""
        generation, _, library_id = read_catalogue_stamp(connection).partition(" ")
        if library_id != self._library_id or int(generation) < self._generation:
            raise library_replaced(self._lock.folder)
