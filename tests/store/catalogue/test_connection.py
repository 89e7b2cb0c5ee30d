"""Connections to catalogues: nested, from several threads and processes, and of several libraries."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from pesearch.errors import LibraryBusy, LibraryDamaged, LibraryUnavailable
from pesearch.store.catalogue import connection as connections
from pesearch.store.catalogue.connection import reading, transaction
from pesearch.store.catalogue.stamp import read_stamp
from pesearch.store.library import Library, create_library
from tests.store.contents import SPACES

GENERATION = "SELECT generation FROM library"
RAISE = "UPDATE library SET generation = generation + 1"

WRITE = f"""
import duckdb, sys
try:
    duckdb.connect(sys.argv[1]).execute("{RAISE}")
except duckdb.IOException as error:
    print("Could not set lock" in str(error))
"""


@pytest.fixture
def other(tmp_path: Path) -> Library:
    """A second library."""
    return create_library(tmp_path / "other", "made-up", SPACES)


def test_reads_may_be_nested(library: Library) -> None:
    """Under any name of the folder, and the outer one goes on after it."""
    link = library.folder.with_name("link")
    link.symlink_to(library.folder)
    with reading(library.folder) as outer:
        with reading(link) as inner:
            assert inner.execute(GENERATION).fetchall() == [(0,)]
        assert outer.execute(GENERATION).fetchall() == [(0,)]
    with transaction(library.folder) as writing:
        writing.execute(RAISE)


def test_outer_read_keeps_writers_out_after_a_nested_one(library: Library) -> None:
    """A second attachment would drop the lock of both when it is closed: POSIX locks belong to the process."""
    command = [sys.executable, "-c", WRITE, str(library.folder / "library.duckdb")]
    with reading(library.folder) as outer:
        with reading(library.folder):
            pass
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"
        assert outer.execute(GENERATION).fetchall() == [(0,)]


def test_read_in_a_transaction_sees_the_last_commit(library: Library) -> None:
    with transaction(library.folder) as writing:
        writing.execute(RAISE)
        with reading(library.folder) as connection:
            assert connection.execute(GENERATION).fetchall() == [(0,)]
        assert writing.execute(GENERATION).fetchall() == [(1,)]
    with reading(library.folder) as connection:
        assert connection.execute(GENERATION).fetchall() == [(1,)]


def test_transaction_in_a_read_is_an_error_and_does_not_hang(library: Library) -> None:
    for outer in (reading, transaction):
        with (
            outer(library.folder),
            pytest.raises(RuntimeError, match="inside a read or transaction"),
            transaction(library.folder),
        ):
            pass
    with transaction(library.folder) as writing:
        writing.execute(RAISE)


def test_two_libraries_are_read_at_once(library: Library, other: Library) -> None:
    """Each thread is inside its read while the other is."""
    together = threading.Barrier(2, timeout=20)
    generations: list[int] = []

    def read(folder: Path) -> None:
        with reading(folder) as connection:
            together.wait()
            generations.extend(row[0] for row in connection.execute(GENERATION).fetchall())
            together.wait()

    threads = [threading.Thread(target=read, args=(each.folder,)) for each in (library, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert generations == [0, 0]


def test_threads_take_turns_at_one_library(library: Library) -> None:
    """A transaction and reads of the same catalogue in one process wait for each other, and none fails."""
    seen: list[int] = []

    def read() -> None:
        with reading(library.folder) as connection:
            seen.extend(row[0] for row in connection.execute(GENERATION).fetchall())

    with transaction(library.folder) as writing:
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        threads[0].join(0.05)
        assert seen == []  # all wait
        writing.execute(RAISE)
    for thread in threads:
        thread.join()
    assert seen == [1] * 4


HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def test_catalogue_that_another_program_holds_is_tried_a_number_of_times(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(connections.time, "sleep", waits.append)
    monkeypatch.setattr(connections, "MAX_ATTACH_TRIES", 5)
    command = [sys.executable, "-c", HOLD, str(library.folder / "library.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "open\n"
        with pytest.raises(LibraryBusy, match="Another program keeps the library"), reading(library.folder):
            pass
        assert waits == [0.02] * 5
        monkeypatch.setattr(connections.time, "sleep", lambda seconds: holder.communicate(""))
        with reading(library.folder) as connection:  # the holder ends while the first try waits
            assert connection.execute(GENERATION).fetchall() == [(0,)]


def test_an_idle_database_is_reused_unless_it_met_an_error(library: Library, other: Library) -> None:
    connections._idle_databases.clear()
    for folder in (library.folder, other.folder, library.folder):
        with reading(folder):
            pass
    (idle,) = (database for databases in connections._idle_databases.values() for database in databases)
    with pytest.raises(ZeroDivisionError), reading(library.folder):
        raise ZeroDivisionError
    assert sum(map(len, connections._idle_databases.values())) == 0
    with pytest.raises(Exception, match="closed"):
        idle.execute("SELECT 1")


class FailingDatabase:
    """An idle DuckDB instance that fails to attach a catalogue with this error."""

    def __init__(self, error: duckdb.Error) -> None:
        self._error = error

    def execute(self, statement: str) -> None:
        raise self._error

    def close(self) -> None:
        pass


READ = 'IO Error: Could not read from file "library.duckdb": {}'
LOCK = 'IO Error: Could not set lock on file "library.duckdb": {}. See also https://duckdb.org/docs/current/'
UNSUPPORTED = "File locks are not supported for this file system, cannot open the file in read-write mode"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        *(
            (READ.format(os.strerror(number)), os.strerror(number))
            for number in (errno.EIO, errno.EMFILE, errno.ENOMEM)
        ),
        *((READ.format(os.strerror(number)), os.strerror(number)) for number in (errno.ESTALE, errno.EACCES)),
        *((LOCK.format(os.strerror(number)), "cannot be locked there") for number in (errno.ENOLCK, errno.ENOSYS)),
        *((LOCK.format(words), "cannot be locked there") for words in (os.strerror(errno.EACCES), UNSUPPORTED)),
    ],
)
def test_errors_of_the_system_are_not_damage(
    library: Library, monkeypatch: pytest.MonkeyPatch, message: str, words: str
) -> None:
    """They are reported at once: waiting for a lock that cannot be had would take a minute."""
    monkeypatch.setattr(connections.time, "sleep", pytest.fail)
    monkeypatch.setitem(connections._idle_databases, os.getpid(), [FailingDatabase(duckdb.IOException(message))])
    with pytest.raises(LibraryUnavailable, match=words) as caught, reading(library.folder):
        pass
    assert "--repair" not in str(caught.value)


def test_wrong_content_of_a_catalogue_is_damage(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    error = duckdb.IOException("IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2")
    monkeypatch.setitem(connections._idle_databases, os.getpid(), [FailingDatabase(error)])
    with pytest.raises(LibraryDamaged, match="doctor --repair"), reading(library.folder):
        pass


def test_generation_file_that_cannot_be_read(library: Library) -> None:
    (library.folder / "generation").unlink()
    (library.folder / "generation").mkdir()
    with pytest.raises(LibraryUnavailable, match="generation: Is a directory: something else has its name"):
        read_stamp(library.folder)
