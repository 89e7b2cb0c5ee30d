"""Damage is found, and mended without losing anything that is whole."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from pesearch.errors import LibraryBusy, LibraryDamaged, LibraryNotFound, LibraryTooNew, SnapshotExpired
from pesearch.store.doctor import examine, repair
from pesearch.store.library import Library, create_library, open_library
from tests.store.contents import AUDIO, SPACES, encoded, features, queries, vectors
from tests.store.old_library import ANSWERS, LIBRARIES, assert_answers_as


def flipped(content: bytes) -> bytes:
    """One bit of the values in the middle of a shard."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped bit": lambda path: path.write_bytes(flipped(path.read_bytes())),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-10]),
    "other bytes": lambda path: path.write_bytes(b"x" * path.stat().st_size),
    "missing": Path.unlink,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}
ALL_DAMAGES = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())


@pytest.fixture
def filled(library: Library) -> Library:
    """Two commits: files one and two, then file three, each with features; file one lies at two places."""
    with library.writer() as writer:
        writer.add([encoded("/1", "one", steps=5), encoded("/copy", "one"), encoded("/2", "two", steps=5)])
        writer.add([encoded("/3", "three", steps=5)])
    return library


def shard_of(library: Library, folder: str, file_id: int) -> Path:
    """The shard in which a file is."""
    table = "feature_extents" if folder == "features" else "extents"
    where = "" if folder == "features" else f" AND space = '{Path(folder).name}'"
    with duckdb.connect(library.folder / "library.duckdb", read_only=True) as connection:
        row = connection.execute(f"SELECT shard FROM {table} WHERE file_id = ?{where}", [file_id]).fetchone()
    assert row is not None
    return library.folder / folder / row[0]


def test_a_whole_library(filled: Library) -> None:
    found = examine(filled.folder)
    assert (found.shards, found.without_checksum, found.damaged) == (6, 0, ())
    assert found.size_bytes == sum(path.stat().st_size for path in filled.folder.rglob("*.arrow"))
    assert list(repair(filled.folder)) == []
    assert filled.generation() == 2


@ALL_DAMAGES
def test_vectors_are_given_up_and_embedded_again(filled: Library, damage: Callable[[Path], object]) -> None:
    shard = shard_of(filled, "vectors/frame", 1)
    damage(shard)
    (found,) = examine(filled.folder).damaged
    assert found.shard.name == shard.name
    assert "doctor --repair" in str(found.error)
    (line,) = repair(filled.folder)
    assert shard.name in line and "2 files" in line
    assert examine(filled.folder).damaged == ()

    mended = open_library(filled.folder)
    assert mended.generation() == 3
    assert {str(failure.location.path) for failure in mended.failures()} == {"/1", "/2", "/copy"}
    assert [len(mended.vectors(file_id, AUDIO.name).vectors) for file_id in (1, 2, 3)] == [0, 0, 3]
    assert {hit.file_id for hit in mended.search(AUDIO.name, queries(AUDIO), 9)[0]} == {3}
    kept = mended.features(1)
    assert kept is not None and (kept.steps == features("one", 5).steps).all()

    with mended.writer() as writer:
        writer.add([encoded("/1", "one", steps=5)])
        writer.add([encoded("/2", "two", steps=5)])
    assert mended.failures() == []
    assert [file.fingerprint for file in mended.files()] == ["one", "two", "three"]
    for file in mended.files():
        for space in SPACES:
            stored = mended.vectors(file.id, space.name).vectors
            np.testing.assert_array_equal(stored, vectors(file.fingerprint, space, 3).vectors)


@ALL_DAMAGES
def test_features_are_given_up_and_vectors_kept(filled: Library, damage: Callable[[Path], object]) -> None:
    damage(shard_of(filled, "features", 3))
    (line,) = repair(filled.folder)
    assert "1 files" in line
    assert filled.features(3) is None
    assert [str(failure.location.path) for failure in filled.failures()] == ["/3"]
    assert {hit.file_id for hit in filled.search(AUDIO.name, queries(AUDIO), 9)[0]} == {1, 2, 3}
    with filled.writer() as writer:
        writer.add([encoded("/3", "three", steps=5)])
    again = filled.features(3)
    assert again is not None and (again.steps == features("three", 5).steps).all()
    assert (filled.failures(), examine(filled.folder).damaged) == ([], ())


def test_every_byte_of_a_shard_counts(filled: Library) -> None:
    """A reader is told of damage, or sees rows of the right shape; it never crashes. Doctor sees every flip."""
    shard = shard_of(filled, "features", 3)
    whole = shard.read_bytes()
    for at in range(len(whole)):
        shard.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            kept = filled.features(3)
            assert kept is not None and kept.steps.shape == (5, 4)
        except LibraryDamaged:
            pass
        if at % 50 == 0:
            assert len(examine(filled.folder).damaged) == 1


@pytest.mark.parametrize("content", [b"", b"garbage" * 9999, b"half"], ids=["empty", "garbage", "half"])
def test_a_damaged_catalogue_is_put_aside(filled: Library, content: bytes) -> None:
    catalogue = filled.folder / "library.duckdb"
    whole = catalogue.read_bytes()
    catalogue.write_bytes(whole[: len(whole) // 2] if content == b"half" else content)
    damaged = catalogue.read_bytes()
    with pytest.raises(LibraryDamaged, match="doctor --repair"):
        open_library(filled.folder)
    (line,) = repair(filled.folder)
    assert "damaged-1" in line and "pesearch index" in line
    with pytest.raises(LibraryNotFound):
        open_library(filled.folder)
    assert list(repair(filled.folder)) == []
    aside = filled.folder / "damaged-1"
    assert (aside / "library.duckdb").read_bytes() == damaged
    assert len(list(aside.rglob("*.arrow"))) == 6

    again = create_library(filled.folder, "made-up", SPACES)
    with again.writer() as writer:
        writer.add([encoded("/1", "one")])
    assert len(list(aside.rglob("*.arrow"))) == 6
    (aside / "library.duckdb").write_bytes(whole)  # what a user does who has a copy
    assert [file.fingerprint for file in open_library(aside).files()] == ["one", "two", "three"]
    assert examine(aside).damaged == ()


LEAVE_A_LOG = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("UPDATE library SET generation = generation + 1")
os._exit(9)
"""


@pytest.mark.parametrize("torn", [False, True], ids=["flipped", "torn"])
def test_a_damaged_log_of_the_last_commits(filled: Library, torn: bool) -> None:
    """One that ends too early is DuckDB's own affair; of other damage it says so, and the catalogue is still whole."""
    log = filled.folder / "library.duckdb.wal"
    subprocess.run([sys.executable, "-c", LEAVE_A_LOG, str(filled.folder / "library.duckdb")], check=False)
    content = log.read_bytes()
    assert open_library(filled.folder).generation() == 3
    log.write_bytes(content[:-30] if torn else flipped(content))
    if torn:
        assert open_library(filled.folder).generation() == 2
        assert (examine(filled.folder).lost_commits, len(list(repair(filled.folder)))) == (0, 0)
    else:
        with pytest.raises(LibraryDamaged, match="doctor --repair"):
            open_library(filled.folder)
        (line,) = repair(filled.folder)
        assert "log of the last commits" in line
        assert (filled.folder / "damaged-1" / "library.duckdb.wal").exists()
        assert open_library(filled.folder).generation() > 2
    again = open_library(filled.folder)
    assert [file.fingerprint for file in again.files()] == ["one", "two", "three"]
    with again.writer() as writer:
        writer.add([encoded("/4", "four")])
    assert [file.fingerprint for file in filled.files()] == ["one", "two", "three", "four"]


def test_an_old_copy_of_the_catalogue(filled: Library) -> None:
    """What it says is older than what readers have seen: it must not count up to that as if nothing had been."""
    copy = (filled.folder / "library.duckdb").read_bytes()
    with filled.writer() as writer:
        writer.add([encoded("/4", "four")])
        writer.remove([3])
    (filled.folder / "library.duckdb").write_bytes(copy)
    again = open_library(filled.folder)
    with pytest.raises(LibraryDamaged, match="last 2 commits"), again.writer():
        pass
    assert examine(filled.folder).lost_commits == 2
    (line,) = repair(filled.folder)
    assert "last 2 commits" in line
    assert again.generation() == filled.generation() == 5
    assert [file.fingerprint for file in filled.files()] == ["one", "two", "three"]
    assert (examine(filled.folder).lost_commits, examine(filled.folder).damaged) == (0, ())


def test_repair_waits_for_no_writer(filled: Library) -> None:
    with filled.writer(), pytest.raises(LibraryBusy, match="is writing"):
        list(repair(filled.folder))


def test_a_newer_library_is_left_alone(filled: Library) -> None:
    with duckdb.connect(filled.folder / "library.duckdb") as connection:
        connection.execute("UPDATE library SET schema = 1000")
    with pytest.raises(LibraryTooNew):
        list(repair(filled.folder))
    assert not (filled.folder / "damaged-1").exists()


def test_an_older_library_is_brought_up_and_not_put_aside(tmp_path: Path) -> None:
    shutil.unpack_archive(LIBRARIES / "schema_2.zip", tmp_path)
    assert list(repair(tmp_path / "library")) == []
    found = examine(tmp_path / "library")
    assert (found.without_checksum, found.damaged) == (found.shards, ())
    assert_answers_as(open_library(tmp_path / "library"), (tmp_path / ANSWERS).read_text())


def test_a_shard_without_checksum_that_holds_no_numbers(tmp_path: Path) -> None:
    shutil.unpack_archive(LIBRARIES / "schema_2.zip", tmp_path)
    library = open_library(tmp_path / "library")
    shard = shard_of(library, "features", 1)
    content = shard.read_bytes()
    steps = features("one", 5).steps.tobytes()
    assert steps in content
    shard.write_bytes(content.replace(steps, b"\xff" * len(steps)))
    assert len(examine(library.folder).damaged) == 1


def test_a_pinned_library_says_when_it_was_overtaken(filled: Library) -> None:
    pinned = filled.pinned()
    with filled.writer() as writer:
        writer.remove([1, 2, 3])
        writer.sweep()
    with pytest.raises(SnapshotExpired, match="ask again"):
        pinned.vectors(1, AUDIO.name)


def test_generation_file_of_any_bytes(filled: Library) -> None:
    (filled.folder / "generation").write_bytes(b"\xff\xfe\x00 nothing")
    assert open_library(filled.folder).generation() == 2
    with filled.writer() as writer:
        assert writer.add([]) == 3
