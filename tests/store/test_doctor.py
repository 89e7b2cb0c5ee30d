"""Damage is found, and repaired without losing undamaged data."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from pesearch.errors import (
    LibraryBusy,
    LibraryDamaged,
    LibraryNotFound,
    LibraryTooNew,
    LibraryUnavailable,
    NoSpaceLeft,
    SnapshotExpired,
)
from pesearch.store import doctor
from pesearch.store.doctor import examine, repair
from pesearch.store.index.features import read_features
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.shards.checksum import find_damage
from pesearch.store.shards.damage import DamageRegistry
from tests.store.contents import AUDIO, FRAME, SPACES, encoded, features, queries, vectors
from tests.store.old_library import ANSWERS, LIBRARIES, assert_answers_as
from tests.store.templates import copy_library

pytestmark = pytest.mark.slow


def flipped(content: bytes, every: int = 1 << 30) -> bytes:
    """A content with one bit flipped at its half, and one in each further `every` bytes."""
    changed = bytearray(content)
    for at in range(len(content) // 2, len(content), every):
        changed[at] ^= 4
    return bytes(changed)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "flipped bits": lambda path: path.write_bytes(flipped(path.read_bytes(), every=16)),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-10]),
    "other bytes": lambda path: path.write_bytes(b"x" * path.stat().st_size),
    "missing": Path.unlink,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}
ALL_DAMAGES = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())


@pytest.fixture(scope="module")
def filled_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two commits: files one and two, then file three, each with features; file one has two locations."""
    library = create_library(tmp_path_factory.mktemp("filled") / "library", "made-up", SPACES)
    with library.writer() as writer:
        writer.add([encoded("/1", "one", steps=5), encoded("/copy", "one"), encoded("/2", "two", steps=5)])
        writer.add([encoded("/3", "three", steps=5)])
    return library.folder


@pytest.fixture
def filled(filled_template: Path, tmp_path: Path) -> Library:
    return copy_library(filled_template, tmp_path / "library")


def shard_of(library: Library, folder: str, file_id: int) -> Path:
    """The shard that contains a file."""
    table = "feature_extents" if folder == "features" else "extents"
    where = "" if folder == "features" else f" AND space = '{Path(folder).name}'"
    with duckdb.connect(library.folder / "library.duckdb", read_only=True) as connection:
        row = connection.execute(f"SELECT shard FROM {table} WHERE file_id = ?{where}", [file_id]).fetchone()
    assert row is not None
    return library.folder / folder / row[0]


def test_undamaged_library_needs_no_repair(filled: Library) -> None:
    found = examine(filled.folder)
    assert (found.shards, found.without_checksum, found.damaged) == (6, 0, ())
    assert found.size_bytes == sum(path.stat().st_size for path in filled.folder.rglob("*.arrow"))
    assert list(repair(filled.folder)) == []
    assert filled.generation() == 2


@pytest.mark.parametrize("folder", ["vectors/frame", "vectors/audio", "features"])
def test_what_parity_restores_is_written_again(filled: Library, folder: str) -> None:
    shard = shard_of(filled, folder, 1)
    written = shard.read_bytes()
    with pa.OSFile(str(shard)) as source:
        values = pa.ipc.open_file(source).get_batch(0).columns[-1].flatten().buffers()[1].to_pybytes()
    at = written.index(values[:8])
    shard.write_bytes(written[:at] + bytes([written[at] ^ 64]) + written[at + 1 :])
    assert len(examine(filled.folder).damaged) == 1
    (line,) = repair(filled.folder)
    assert line == f"{shard.relative_to(filled.folder)} was damaged and has been restored: nothing is lost"
    assert shard.read_bytes() == written
    assert not list(filled.folder.glob("damaged-*")) and not open_library(filled.folder).failures()


@ALL_DAMAGES
def test_damaged_vectors_are_discarded_and_embedded_again(filled: Library, damage: Callable[[Path], object]) -> None:
    shard = shard_of(filled, "vectors/frame", 1)
    damage(shard)
    (found,) = examine(filled.folder).damaged
    assert found.shard.name == shard.name
    assert "doctor --repair" in str(found.error)
    (line,) = repair(filled.folder)
    assert shard.name in line and "2 files" in line
    assert examine(filled.folder).damaged == ()

    repaired = open_library(filled.folder)
    assert repaired.generation() == 3
    assert {str(failure.location.path) for failure in repaired.failures()} == {"/1", "/2", "/copy"}
    assert [len(repaired.vectors(file_id, FRAME.name).vectors) for file_id in (1, 2, 3)] == [0, 0, 3]
    assert {hit.file_id for hit in repaired.search(FRAME.name, queries(FRAME), 9)[0]} == {3}
    assert {hit.file_id for hit in repaired.search(AUDIO.name, queries(AUDIO), 9)[0]} == {1, 2, 3}
    kept = repaired.features(1)
    assert kept is not None and (kept.steps == features("one", 5).steps).all()

    with repaired.writer() as writer:
        writer.add([encoded("/1", "one", steps=5)])
        writer.add([encoded("/2", "two", steps=5)])
    assert repaired.failures() == []
    assert [file.fingerprint for file in repaired.files()] == ["one", "two", "three"]
    for file in repaired.files():
        for space in SPACES:
            stored = repaired.vectors(file.id, space.name).vectors
            np.testing.assert_array_equal(stored, vectors(file.fingerprint, space, 3).vectors)


@ALL_DAMAGES
def test_damaged_features_are_discarded_and_vectors_kept(filled: Library, damage: Callable[[Path], object]) -> None:
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


def test_any_flipped_byte_of_a_shard_is_found_or_harmless(filled: Library) -> None:
    """A reader returns what was written or nothing; it never crashes. Doctor finds every flip."""
    shard = shard_of(filled, "features", 3)
    snapshot, written = filled._generation.snapshot, features("three", 5).steps
    registered = next(each for each in snapshot.shards if each.name == shard.name)
    whole = shard.read_bytes()
    assert find_damage(filled.folder, registered, {}) is None
    for at in range(len(whole)):
        shard.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        kept = read_features(DamageRegistry(filled.folder), snapshot, 3, 0, None)
        assert kept is None or np.array_equal(kept.steps, written)
        assert find_damage(filled.folder, registered, {}) is not None
    assert [damaged.shard for damaged in examine(filled.folder).damaged] == [registered]


@pytest.mark.parametrize("content", [b"", b"garbage" * 9999, b"half"], ids=["empty", "garbage", "half"])
def test_damaged_catalogue_without_a_copy_is_quarantined(filled: Library, content: bytes) -> None:
    shutil.rmtree(filled.folder / "backup")
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
    quarantined = filled.folder / "damaged-1"
    assert (quarantined / "library.duckdb").read_bytes() == damaged
    assert len(list(quarantined.rglob("*.arrow"))) == 6

    again = create_library(filled.folder, "made-up", SPACES)
    with again.writer() as writer:
        writer.add([encoded("/1", "one")])
    assert len(list(quarantined.rglob("*.arrow"))) == 6
    (quarantined / "library.duckdb").write_bytes(whole)  # a user restores a backup
    assert [file.fingerprint for file in open_library(quarantined).files()] == ["one", "two", "three"]
    assert examine(quarantined).damaged == ()


def test_vectors_on_a_mounted_drive_without_any_catalogue(
    filled: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mount point cannot be moved: nothing is changed, and what the line says leads to a library."""
    shutil.rmtree(filled.folder / "backup")
    (filled.folder / "library.duckdb").write_bytes(b"garbage")
    before = sorted(filled.folder.rglob("*"))
    rename = Path.rename

    def rename_unless_mounted(path: Path, target: Path) -> Path:
        if path == filled.folder / "vectors":
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", rename_unless_mounted)
    for _ in range(2):
        with pytest.raises(LibraryUnavailable, match=r"library/vectors is the mount point of a drive.*pesearch index"):
            list(repair(filled.folder))
        assert sorted(filled.folder.rglob("*")) == before
    for folder in list((filled.folder / "vectors").iterdir()):
        shutil.move(folder, tmp_path)
    (line,) = repair(filled.folder)
    assert "damaged-1" in line
    assert len(list((filled.folder / "damaged-1" / "features").iterdir())) == 2
    assert create_library(filled.folder, "made-up", SPACES).generation() == 0


@pytest.mark.parametrize("step", ["write_manifest", "raise_generation"])
def test_a_repair_on_a_full_disk_leaves_no_quarantine(
    filled: Library, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*arguments: object) -> None:
        raise NoSpaceLeft("full")

    shard = shard_of(filled, "vectors/audio", 3)
    shard.write_bytes(b"garbage")
    with monkeypatch.context() as patch, pytest.raises(NoSpaceLeft):
        patch.setattr(doctor, step, full)
        list(repair(filled.folder))
    assert [path.name for path in filled.folder.glob("damaged-*")] == []
    assert len(list(repair(filled.folder))) == 1
    assert (filled.folder / "damaged-1" / "shards.json").exists()


LEAVE_A_LOG = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("UPDATE library SET generation = generation + 1")
os._exit(9)
"""


@pytest.mark.parametrize("torn", [False, True], ids=["flipped", "torn"])
def test_damaged_write_ahead_log(filled: Library, torn: bool) -> None:
    """DuckDB ignores a truncated tail; other damage is an error, and the catalogue without the log is intact."""
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


def test_restored_old_catalogue_gets_a_new_id(filled: Library) -> None:
    """Readers have seen later generations: it must not reach the same numbers with other content."""
    copy = (filled.folder / "library.duckdb").read_bytes()
    with filled.writer() as writer:
        writer.add([encoded("/4", "four")])
        writer.remove([3])
    (filled.folder / "library.duckdb").write_bytes(copy)
    shutil.rmtree(filled.folder / "backup")  # else it is used
    again = open_library(filled.folder)
    with pytest.raises(LibraryDamaged, match="last 2 commits"), again.writer():
        pass
    assert examine(filled.folder).lost_commits == 2
    (line,) = repair(filled.folder)
    assert "last 2 commits" in line
    assert again.generation() == filled.generation() == 5
    assert [file.fingerprint for file in filled.files()] == ["one", "two", "three"]
    assert (examine(filled.folder).lost_commits, examine(filled.folder).damaged) == (0, ())


def test_repair_is_refused_while_a_writer_is_active(filled: Library) -> None:
    with filled.writer(), pytest.raises(LibraryBusy, match="is writing"):
        list(repair(filled.folder))


def test_newer_library_is_not_repaired(filled: Library) -> None:
    with duckdb.connect(filled.folder / "library.duckdb") as connection:
        connection.execute("UPDATE library SET schema = 1000")
    with pytest.raises(LibraryTooNew):
        list(repair(filled.folder))
    assert not (filled.folder / "damaged-1").exists()


def test_older_library_is_migrated_and_not_quarantined(tmp_path: Path) -> None:
    shutil.unpack_archive(LIBRARIES / "schema_2.zip", tmp_path)
    assert list(repair(tmp_path / "library")) == []
    found = examine(tmp_path / "library")
    assert (found.without_checksum, found.damaged) == (found.shards, ())
    assert_answers_as(open_library(tmp_path / "library"), (tmp_path / ANSWERS).read_text())


def test_shard_without_checksum_is_checked_for_finite_values(tmp_path: Path) -> None:
    shutil.unpack_archive(LIBRARIES / "schema_2.zip", tmp_path)
    library = open_library(tmp_path / "library")
    shard = shard_of(library, "features", 1)
    content = shard.read_bytes()
    steps = features("one", 5).steps.tobytes()
    assert steps in content
    shard.write_bytes(content.replace(steps, b"\xff" * len(steps)))
    assert len(examine(library.folder).damaged) == 1


def test_pinned_library_reports_that_its_snapshot_expired(filled: Library) -> None:
    pinned = filled.pinned()
    with filled.writer() as writer:
        writer.remove([1, 2, 3])
        writer.sweep()
    with pytest.raises(SnapshotExpired, match="try again"):
        pinned.vectors(1, AUDIO.name)


def test_generation_file_of_any_bytes(filled: Library) -> None:
    (filled.folder / "generation").write_bytes(b"\xff\xfe\x00 nothing")
    assert open_library(filled.folder).generation() == 2
    with filled.writer() as writer:
        assert writer.add([]) == 3
