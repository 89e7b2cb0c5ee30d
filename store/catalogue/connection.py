"""Short connections to the catalogue, `library.duckdb`.

DuckDB lets one process write to a file or several read it, not both. So the catalogue is attached for one read or one
transaction at a time, and an attachment waits while another process holds the file's lock.

The DuckDB instance that it is attached to is kept and reused: attaching takes a tenth of the time of a new instance
(3 ms and 30 ms of a core; on a busy machine 11 ms and 240 ms).

Within a process one thread at a time has a catalogue attached, because DuckDB locks files by POSIX record locks, which
belong to the process: of two attachments to the same file, the first that is closed drops the lock of both, and another
process could write while the second still reads (seen with DuckDB 2.0). A call inside another of the same thread shares
its attachment. Different libraries do not wait for each other.
"""

from __future__ import annotations

import atexit
import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pesearch.errors import LibraryBusy, LibraryDamaged, LibraryError, LibraryNotFound, LibraryTooNew, first_line
from pesearch.store.disk.durable import FULL, disk_errors, no_space_left

CATALOGUE_FILE = "library.duckdb"

LOG_FILE = CATALOGUE_FILE + ".wal"
"""DuckDB's write-ahead log: commits that are not in the catalogue file yet."""

MAX_ATTACH_TRIES = 3000
"""Attempts to attach a catalogue that another process has locked: at least a minute in total, far longer than any
connection lasts."""

_RETRY_SECONDS = 0.02

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "threads": 1,
}
"""No downloads; one thread, because the catalogue is small and decoding needs the cores."""


@dataclass(slots=True)
class _Catalogue:
    """A catalogue file in this process. The thread that holds `lock` may have it attached to `database`."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    database: duckdb.DuckDBPyConnection | None = None


_catalogues: dict[tuple[int, str], _Catalogue] = {}
"""By process id and real path. A forked process must not inherit locks, which it could never release."""

_idle_databases: dict[int, list[duckdb.DuckDBPyConnection]] = {}
"""DuckDB instances without attachments, by process id: a forked process must not use those of its parent."""

atexit.register(_idle_databases.clear)  # DuckDB reports instances that outlive the interpreter as leaks, on stderr


@contextmanager
def reading(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the last committed state. It may be opened inside another one, or a transaction."""
    with _connection(folder / CATALOGUE_FILE, read_only=True) as connection:
        yield connection


@contextmanager
def transaction(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection inside one transaction, which is committed at the end, or rolled back after an error.

    Raises RuntimeError inside a read or transaction of the same library and thread.
    """
    with _connection(folder / CATALOGUE_FILE, read_only=False) as connection:
        connection.begin()
        yield connection
        connection.commit()


@contextmanager
def new_catalogue(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a new DuckDB file of any name."""
    with _translated(path), duckdb.connect(path, config=_SETTINGS) as connection:
        yield connection


@contextmanager
def _connection(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    catalogue = _catalogues.setdefault((os.getpid(), os.path.realpath(path)), _Catalogue())
    with catalogue.lock, _translated(path):
        if catalogue.database is None:
            with _attached(path, read_only=read_only) as catalogue.database:
                try:
                    with _cursor(catalogue.database) as connection:
                        yield connection
                finally:
                    catalogue.database = None
        elif read_only:
            with _cursor(catalogue.database) as connection:
                yield connection
        else:
            raise RuntimeError(f"a transaction of {path} inside a read or transaction of the same thread")


@contextmanager
def _cursor(database: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own, outside any transaction of another."""
    with closing(database.cursor()) as connection:
        connection.execute("USE catalogue")
        yield connection


@contextmanager
def _attached(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    idle = _idle_databases.setdefault(os.getpid(), [])
    try:
        database = idle.pop()
    except IndexError:
        database = duckdb.connect(config=_SETTINGS)
    with ExitStack() as stack:
        stack.callback(database.close)
        _attach(database, path, read_only=read_only)
        yield database
        with suppress(duckdb.Error):  # a full disk cannot fold the log into the catalogue: the log stays
            database.execute("DETACH catalogue")
            idle.append(database)
            stack.pop_all()  # an instance that met an error is closed, and not used again


def _attach(database: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool) -> None:
    quoted = str(path).replace("'", "''")
    for _ in range(MAX_ATTACH_TRIES):
        with disk_errors(path.parent):
            exists = path.exists()
        if not exists:
            raise LibraryNotFound(f"No library in {path.parent}: create one with `pesearch index PATH`")
        try:
            database.execute(f"ATTACH '{quoted}' AS catalogue ({'READ_ONLY' if read_only else 'READ_WRITE'})")
            return
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error):
                raise
        time.sleep(_RETRY_SECONDS)
    raise LibraryBusy(f"Another program keeps the library {path.parent} open: close it and run the command again")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "Query interrupted" in str(error):  # DuckDB's error for Ctrl-C
            raise KeyboardInterrupt from error
        raise
    except duckdb.OutOfMemoryException as error:
        raise LibraryError(f"Not enough memory to read the catalogue of the library {path.parent}") from error
    except duckdb.Error as error:
        raise _library_error(path, error) from error


def _library_error(path: Path, error: duckdb.Error) -> LibraryError:
    text = str(error)
    if any(os.strerror(number) in text for number in FULL):
        return no_space_left(path.parent)
    if any(os.strerror(number) in text for number in (errno.EACCES, errno.EPERM, errno.EROFS)):
        return LibraryError(f"The library {path.parent} cannot be used: no permission for {path.name}")
    if "database file with version number" in text:
        return LibraryTooNew(f"The library {path.parent} was written by a newer pesearch: upgrade pesearch")
    reason = first_line(error)
    return LibraryDamaged(
        f"The catalogue of the library {path.parent} cannot be read: run `pesearch doctor --repair` ({reason})"
    )
