"""A catalogue that DuckDB takes for missing while it attaches it for writing, as when its own `stat` fails once.

`python -m tests.faults --operation add --call stat` lets each such call fail; here a database does what DuckDB does
then.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pesearch.errors import LibraryUnavailable
from pesearch.store.catalogue import connection as connections
from pesearch.store.catalogue.connection import new_catalogue, reading, transaction
from pesearch.store.library import Library

GENERATION = "SELECT generation FROM library"
RAISE = "UPDATE library SET generation = generation + 1"

HEADERS_BYTES = 12_288


class ForgetfulDatabase:
    """A DuckDB instance that writes an empty database over a catalogue before it attaches it.

    With `error` it then fails, as when another process has the file locked, or a write fails. With `headers` false it
    has only deleted the log by then.
    """

    def __init__(self, error: duckdb.Error | None = None, *, headers: bool = True) -> None:
        self._database = duckdb.connect()
        self._error = error
        self._headers = headers

    def execute(self, statement: str) -> object:
        if statement.startswith("ATTACH"):
            path = Path(statement.split("'")[1])
            path.with_name(path.name + ".wal").unlink(missing_ok=True)
            if self._headers:
                write_empty_database(path)
            if self._error is not None:
                raise self._error
        return self._database.execute(statement)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self._database.cursor()

    def close(self) -> None:
        self._database.close()


def write_empty_database(path: Path) -> None:
    """As DuckDB does: the rest of the file stays."""
    empty = path.with_name("empty")
    with new_catalogue(empty):
        pass
    with path.open("r+b") as file:
        file.write(empty.read_bytes()[:HEADERS_BYTES])
    empty.unlink()


def leave_log(library: Library) -> bytes:
    """Commit as a process that ends before DuckDB folds its log into the catalogue. The log."""
    path = library.folder / "library.duckdb"
    kept = path.read_bytes()
    with duckdb.connect(path) as database:
        database.execute("SET checkpoint_threshold = '1 GB'").execute(RAISE)
        log = Path(f"{path}.wal").read_bytes()
    path.write_bytes(kept)
    Path(f"{path}.wal").write_bytes(log)
    return log


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (None, True),
        (duckdb.IOException("IO Error: Could not write file: Input/output error"), True),
        (duckdb.IOException("IO Error: Could not open file: Input/output error"), False),
    ],
    ids=["and it goes on", "and then fails", "and fails before that"],
)
def test_a_catalogue_that_duckdb_takes_for_missing_is_restored(
    library: Library, monkeypatch: pytest.MonkeyPatch, error: duckdb.Error | None, headers: bool
) -> None:
    log = leave_log(library)
    before = (library.folder / "library.duckdb").read_bytes()
    database = ForgetfulDatabase(error, headers=headers)
    monkeypatch.setitem(connections._idle_databases, os.getpid(), [database])
    with (
        pytest.raises(LibraryUnavailable, match="Input/output error: check that its drive"),
        transaction(library.folder),
    ):
        pytest.fail("the catalogue is empty")
    assert (library.folder / "library.duckdb").read_bytes() == before
    assert (library.folder / "library.duckdb.wal").read_bytes() == log
    with transaction(library.folder) as connection:
        assert connection.execute(GENERATION).fetchall() == [(1,)]


def test_a_log_that_is_folded_into_the_catalogue_stays_folded(library: Library) -> None:
    """The headers change then, except the first."""
    leave_log(library)
    with transaction(library.folder) as connection:
        connection.execute(RAISE)
    assert not (library.folder / "library.duckdb.wal").exists()
    with reading(library.folder) as connection:
        assert connection.execute(GENERATION).fetchall() == [(2,)]


PROBE = """
import fcntl, sys
try:
    fcntl.lockf(open(sys.argv[1]), fcntl.LOCK_SH | fcntl.LOCK_NB)
except OSError:
    print("locked")
"""


def test_a_transaction_keeps_its_lock_to_the_end(library: Library) -> None:
    """Closing any descriptor of a file drops all locks of the process on it."""
    command = [sys.executable, "-S", "-c", PROBE, str(library.folder / "library.duckdb")]
    with transaction(library.folder):
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "locked\n"
