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
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pesearch.errors import (
    LibraryBusy,
    LibraryDamaged,
    LibraryError,
    LibraryTooNew,
    LibraryUnavailable,
    first_line,
)
from pesearch.store.catalogue.disk_files import CATALOGUE_FILE, LOG_FILE, missing_catalogue
from pesearch.store.catalogue.header_guard import HeaderGuard
from pesearch.store.disk.durable import disk_errors, undone_by
from pesearch.store.disk.os_errors import FULL, error_number, locks_unsupported, no_space_left, unavailable

MAX_ATTACH_TRIES = 3000
"""Attempts to attach a catalogue that another process has locked: at least a minute in total, far longer than any
connection lasts."""

_RETRY_SECONDS = 0.02

_LOCKED = re.compile("Conflicting lock is held|File is already open in")
"""In DuckDB's message when another process has the file locked; on Windows it is the second one."""

_LOCK_REFUSED = re.compile(r'Could not set lock on file .*": (?!Conflicting lock)([^,.]*)')
"""DuckDB's message when the file system refuses locks, and its reason."""

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


def close_idle_databases() -> None:
    """Close the instances without attachments: they keep the memory of their largest transaction, 45 MiB after 95,000
    cues of 200 characters, which `trim_heap` cannot return. The next read makes a new one."""
    idle = _idle_databases.get(os.getpid(), [])
    while idle:
        with suppress(IndexError):  # another thread took the last one
            idle.pop().close()


@contextmanager
def reading(folder: Path, name: str = CATALOGUE_FILE) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the last committed state. It may be opened inside another one, or a transaction."""
    with _connection(folder / name, read_only=True) as connection:
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
    with ExitStack() as files, ExitStack() as stack:
        stack.callback(database.close)
        files.enter_context(_attach(database, path, read_only=read_only))
        yield database
        with suppress(duckdb.Error):  # a full disk cannot fold the log into the catalogue: the log stays
            database.execute("DETACH catalogue")
            idle.append(database)
            stack.pop_all()  # an instance that met an error is closed, and not used again


def require_openable(folder: Path) -> None:
    """Raise LibraryError for a path that DuckDB takes for another: it reads a backslash as a slash, which it is on
    Windows, and ends the path of its log at `?`."""
    misread = "?" if sys.platform == "win32" else "\\?"
    if any(character in str(folder) for character in misread):
        raise LibraryError(f"A library cannot be in {folder}: DuckDB opens no path with a backslash or ?: rename it")


def _attach(database: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool) -> AbstractContextManager[object]:
    """Attach a catalogue. What is returned is to be closed after it is detached."""
    require_openable(path.parent)
    for _ in range(MAX_ATTACH_TRIES):
        _require_file(path)
        try:
            if not read_only and sys.platform != "win32":  # where DuckDB opens no file that is open already
                return closing(_attach_for_writing(database, path))
            database.execute(f"ATTACH {_quoted(path)} AS catalogue ({'READ_ONLY' if read_only else 'READ_WRITE'})")
            return nullcontext()
        except duckdb.IOException as error:
            if _LOCKED.search(str(error)) is None:
                raise
        time.sleep(_RETRY_SECONDS)
    raise LibraryBusy(f"Another program keeps the library {path.parent} open: close it and run the command again")


def _attach_for_writing(database: duckdb.DuckDBPyConnection, path: Path) -> HeaderGuard:
    """Raises LibraryUnavailable if DuckDB took the catalogue for missing; then it is as before."""
    guard = HeaderGuard(path, path.with_name(LOG_FILE))
    with undone_by(guard.close):
        try:
            database.execute(f"ATTACH {_quoted(path)} AS catalogue (READ_WRITE)")
        except duckdb.Error:
            guard.restore()
            raise
        if guard.is_replaced():
            database.execute("DETACH catalogue")
            guard.restore()
            raise unavailable(path.parent, path.name, errno.EIO)
    return guard


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _require_file(path: Path) -> None:
    try:
        with disk_errors(path.parent):
            path.stat()
    except LibraryUnavailable as error:
        if not isinstance(error.__cause__, FileNotFoundError) or path.is_symlink():  # a link to a drive
            raise
        with disk_errors(path.parent):
            raise missing_catalogue(path.parent) from None


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "Query interrupted" in str(error):  # DuckDB's error for Ctrl-C
            raise KeyboardInterrupt from error
        raise
    except duckdb.OutOfMemoryException as error:
        raise unavailable(path.parent, path.name, errno.ENOMEM) from error
    except duckdb.Error as error:
        raise _library_error(path, error) from error


def _library_error(path: Path, error: duckdb.Error) -> LibraryError:
    """Only content that DuckDB cannot read is damage; what the system does not let it read is not."""
    text = first_line(error)
    if (refused := _LOCK_REFUSED.search(text)) is not None:
        return locks_unsupported(path.parent, path, refused[1])
    number = error_number(text)
    if number in FULL:
        return no_space_left(path.parent)
    if number is not None:
        return unavailable(path.parent, path.name, number)
    if isinstance(error, duckdb.FatalException) and "fsync" in text:
        return unavailable(path.parent, path.name, errno.EIO)
    if "database file with version number" in text:
        return LibraryTooNew(f"The library {path.parent} was written by a newer pesearch: upgrade pesearch")
    return LibraryDamaged(
        f"The catalogue of the library {path.parent} cannot be read: run `pesearch doctor --repair` ({text})"
    )
