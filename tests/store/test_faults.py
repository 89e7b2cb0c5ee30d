"""Full disks, and Ctrl-C during a commit: no commit is lost."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pesearch.errors import LibraryError, LibraryNotFound, NoSpaceLeft
from pesearch.store.catalogue.connection import transaction
from pesearch.store.disk.durable import disk_errors
from pesearch.store.library import Library, create_library, open_library
from pesearch.types import EncodedFile
from tests.store.contents import SPACES, encoded


@contextmanager
def file_size_limit(limit_bytes: int) -> Iterator[None]:
    """No file may grow beyond the limit: that write fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def batch(files: int, rows: int, steps: int = 0) -> list[EncodedFile]:
    return [encoded(f"/new/{number}", f"new {number}", rows=rows, steps=steps) for number in range(files)]


@pytest.mark.parametrize(
    ("files", "rows", "steps"),
    [(1, 1000, 0), (1, 3, 2000), (500, 0, 0)],
    ids=["in the vector shard", "in the feature shard", "in the catalogue"],
)
def test_no_space_left(library: Library, files: int, rows: int, steps: int) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
        with file_size_limit(10_000), pytest.raises(NoSpaceLeft, match="No space left for the library"):
            writer.add(batch(files, rows, steps))
    again = open_library(library.folder)
    assert [file.fingerprint for file in again.files()] == ["one"]
    with again.writer() as writer:
        assert len(list(library.folder.rglob("*.arrow*"))) == 2
        writer.add([encoded("/b", "two")])
    assert [file.fingerprint for file in again.files()] == ["one", "two"]


def test_commit_is_kept_in_the_log_if_the_catalogue_has_no_room(library: Library) -> None:
    """DuckDB commits to its write-ahead log, and reads from it what it could not write to the catalogue."""
    with library.writer() as writer, file_size_limit(100_000):
        writer.add(batch(files=10, rows=3))
        assert (library.folder / "library.duckdb.wal").exists()
    assert len(open_library(library.folder).files()) == 10
    with library.writer() as writer:
        writer.add([encoded("/b", "two")])
    assert len(library.files()) == 11


@pytest.mark.parametrize("limit_bytes", [1_000, 20_000, 600_000], ids=["at once", "in the log", "in the tables"])
def test_no_space_left_for_a_new_library(tmp_path: Path, limit_bytes: int) -> None:
    """DuckDB does not report it when it closes a catalogue and the disk has no room for its tables."""
    with file_size_limit(limit_bytes), pytest.raises(NoSpaceLeft, match="No space left for the library"):
        create_library(tmp_path, "made-up", SPACES)
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
def test_stale_log_is_not_replayed_into_a_new_catalogue(library: Library, name: str, statement: str) -> None:
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
def test_full_disk_has_its_own_error(tmp_path: Path, number: int) -> None:
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
