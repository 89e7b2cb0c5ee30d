"""A disk without room, and a commit that Ctrl-C cuts short: nothing committed is lost."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pesearch.errors import LibraryError, LibraryNotFound, NoSpaceLeft
from pesearch.store.catalogue.connection import transaction
from pesearch.store.disk.durable import disk_errors
from pesearch.store.library import Library, create_library, open_library
from tests.store.contents import SPACES, encoded

WRITE_UNDER_A_LIMIT = """
import resource, sys
from pathlib import Path
from pesearch.errors import NoSpaceLeft
from pesearch.store.library import open_library
from tests.store.contents import encoded

limit_bytes, files, rows, steps = map(int, sys.argv[2:])
library = open_library(Path(sys.argv[1]))
with library.writer() as writer:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
    try:
        writer.add([encoded(f"/new/{number}", f"new {number}", rows=rows, steps=steps) for number in range(files)])
    except NoSpaceLeft as error:
        print(error)
"""


def write_under_a_limit(library: Library, limit_bytes: int, files: int, rows: int, steps: int = 0) -> str:
    """What a process prints that may not write a file beyond a limit: that write fails as on a full disk."""
    numbers = [str(number) for number in (limit_bytes, files, rows, steps)]
    command = [sys.executable, "-c", WRITE_UNDER_A_LIMIT, str(library.folder), *numbers]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("files", "rows", "steps"),
    [(1, 1000, 0), (1, 3, 2000), (500, 0, 0)],
    ids=["in the vector shard", "in the feature shard", "in the catalogue"],
)
def test_no_space_left(library: Library, files: int, rows: int, steps: int) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
    printed = write_under_a_limit(library, 10_000, files, rows, steps)
    assert printed.startswith("No space left for the library")
    again = open_library(library.folder)
    assert [file.fingerprint for file in again.files()] == ["one"]
    with again.writer() as writer:
        assert len(list(library.folder.rglob("*.arrow*"))) == 2
        writer.add([encoded("/b", "two")])
    assert [file.fingerprint for file in again.files()] == ["one", "two"]


def test_commit_stands_though_the_catalogue_has_no_room_to_be_tidied(library: Library) -> None:
    """DuckDB commits to its log; what it then fails to fold into the catalogue is read from the log."""
    assert write_under_a_limit(library, 100_000, files=10, rows=3) == ""
    assert (library.folder / "library.duckdb.wal").exists()
    assert len(open_library(library.folder).files()) == 10
    with library.writer() as writer:
        writer.add([encoded("/b", "two")])
    assert len(library.files()) == 11


CREATE_UNDER_A_LIMIT = """
import resource, sys
from pathlib import Path
from pesearch.errors import NoSpaceLeft
from pesearch.store.library import create_library
from tests.store.contents import SPACES

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    create_library(Path(sys.argv[1]), "made-up", SPACES)
except NoSpaceLeft as error:
    print(error)
"""


@pytest.mark.parametrize("limit_bytes", [1_000, 20_000, 600_000], ids=["at once", "in the log", "in the tables"])
def test_no_space_left_for_a_new_library(tmp_path: Path, limit_bytes: int) -> None:
    """DuckDB closes a catalogue without a word when the disk has no room for its tables."""
    command = [sys.executable, "-c", CREATE_UNDER_A_LIMIT, str(tmp_path), str(limit_bytes)]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert printed.startswith("No space left for the library")
    with pytest.raises(LibraryNotFound):
        open_library(tmp_path)
    assert create_library(tmp_path, "made-up", SPACES).generation() == 0


KILLED = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute(sys.argv[2])
os._exit(9)
"""


@pytest.mark.parametrize(
    ("name", "statement"),
    [("library.duckdb.new", "CREATE TABLE library (a INTEGER)"), ("library.duckdb", "UPDATE library SET schema = 77")],
    ids=["of a creation that was killed", "of a catalogue that was deleted"],
)
def test_a_log_that_was_left_behind(library: Library, name: str, statement: str) -> None:
    catalogue = library.folder / "library.duckdb"
    if name == "library.duckdb.new":
        catalogue.unlink()
    subprocess.run([sys.executable, "-c", KILLED, str(library.folder / name), statement], check=False)
    assert (library.folder / f"{name}.wal").exists()
    catalogue.unlink(missing_ok=True)
    again = create_library(library.folder, "made-up", SPACES)
    with again.writer() as writer:
        writer.add([encoded("/a", "one")])
    assert [file.fingerprint for file in open_library(library.folder).files()] == ["one"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_is_told_apart(tmp_path: Path, number: int) -> None:
    with pytest.raises(NoSpaceLeft, match="make room"), disk_errors(tmp_path):
        raise OSError(number, os.strerror(number), "shard.arrow")
    with pytest.raises(LibraryError, match="cannot be used") as caught, disk_errors(tmp_path):
        raise OSError(errno.EIO, os.strerror(errno.EIO), "shard.arrow")
    assert not isinstance(caught.value, NoSpaceLeft)


def test_ctrl_c_in_a_transaction_rolls_it_back(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
    endless = "SELECT sum(sin(a.range * b.range)) FROM range(100_000_000) a, range(100_000) b"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), transaction(library.folder) as connection:
            connection.execute("DELETE FROM files")
            threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            connection.execute(endless)
    finally:
        signal.signal(signal.SIGINT, before)
    assert [file.fingerprint for file in open_library(library.folder).files()] == ["one"]
