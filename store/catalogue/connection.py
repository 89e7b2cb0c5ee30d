"""Short connections to the catalogue, `library.duckdb`.

DuckDB lets one process write to a file or several read it, never both at once. So a catalogue is attached for one read
or one transaction, and a lock that another process holds is waited for. What it is attached to stays: to make a DuckDB
takes ten times as long as all the rest (30 ms of a core, and 3).
"""

from __future__ import annotations

import atexit
import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import duckdb

from pesearch.errors import LibraryBusy, LibraryDamaged, LibraryError, LibraryNotFound, LibraryTooNew
from pesearch.store.disk.durable import FULL, disk_errors, no_space_left

CATALOGUE_FILE = "library.duckdb"
LOG_FILE = CATALOGUE_FILE + ".wal"
"""Where DuckDB keeps commits that it has not yet folded into the catalogue."""

WAIT_SECONDS = 60.0
"""How long a connection waits for another process to end its own: far longer than any one of them lasts."""

_RETRY_SECONDS = 0.02
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "threads": 1,
}
"""Nothing is fetched from anywhere; the catalogue is small, and the cores are needed for decoding."""

_databases: dict[int, duckdb.DuckDBPyConnection] = {}
"""The one that is free, by process: nothing is attached to it."""

atexit.register(_databases.clear)  # one that outlives the interpreter is told of on stderr, as a leak

_one_at_a_time = threading.Lock()
"""Within a process DuckDB refuses a reading connection beside a writing one: they take turns."""


@contextmanager
def reading(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that sees the last committed state."""
    with _connection(folder / CATALOGUE_FILE, read_only=True) as connection:
        yield connection


@contextmanager
def transaction(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection inside one transaction: all of it is committed, or, after any error, nothing."""
    with _connection(folder / CATALOGUE_FILE, read_only=False) as connection:
        connection.begin()
        yield connection
        connection.commit()


@contextmanager
def new_catalogue(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a catalogue that does not exist yet, in a file of any name."""
    with _translated(path), duckdb.connect(path, config=_SETTINGS) as connection:
        yield connection


@contextmanager
def _connection(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    with _one_at_a_time, _translated(path):
        key = os.getpid()  # a process that was forked has one of its own
        database = _databases.pop(key, None) or duckdb.connect(config=_SETTINGS)
        with ExitStack() as stack:
            stack.callback(database.close)
            _attach(database, path, read_only=read_only)
            with closing(database.cursor()) as connection:
                connection.execute("USE catalogue")
                yield connection
            with suppress(duckdb.Error):  # where there is no room to fold the log into the catalogue, the log stays
                database.execute("DETACH catalogue")
                _databases[key] = database
                stack.pop_all()  # only one that has met no error is used again


def _attach(database: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool) -> None:
    quoted = str(path).replace("'", "''")
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        with disk_errors(path.parent):
            there = path.exists()
        if not there:
            raise LibraryNotFound(f"No library in {path.parent}: make one with `pesearch index PATH`")
        try:
            database.execute(f"ATTACH '{quoted}' AS catalogue ({'READ_ONLY' if read_only else 'READ_WRITE'})")
            return
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error):
                raise
            if time.monotonic() > give_up:
                raise LibraryBusy(f"Another program keeps the library {path.parent} open: close it") from error
        time.sleep(_RETRY_SECONDS)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "Query interrupted" in str(error):  # what DuckDB makes of Ctrl-C
            raise KeyboardInterrupt from error
        raise
    except duckdb.OutOfMemoryException as error:
        raise LibraryError(f"Not enough memory to read the catalogue of the library {path.parent}") from error
    except duckdb.Error as error:
        raise _library_error(path, str(error)) from error


def _library_error(path: Path, text: str) -> LibraryError:
    if any(os.strerror(number) in text for number in FULL):
        return no_space_left(path.parent)
    if any(os.strerror(number) in text for number in (errno.EACCES, errno.EPERM, errno.EROFS)):
        return LibraryError(f"The library {path.parent} cannot be used: no permission for {path.name}")
    if "database file with version number" in text:
        return LibraryTooNew(f"The library {path.parent} was written by a newer pesearch: upgrade pesearch")
    reason = text.splitlines()[0] if text else "no reason given"
    return LibraryDamaged(
        f"The catalogue of the library {path.parent} cannot be read: run `pesearch doctor --repair` ({reason})"
    )
