"""The copy of the catalogue: when it is made, and how a damaged catalogue is repaired from it."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path

import duckdb
import pytest

from pesearch.errors import LibraryDamaged, LibraryError, LibraryUnavailable, NoSpaceLeft
from pesearch.store import catalogue_repair
from pesearch.store.catalogue import backup
from pesearch.store.doctor import repair
from pesearch.store.examination import examine
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.write import writer as writer_module
from pesearch.store.write.writer import Writer
from tests.store.contents import AUDIO, SPACES, encoded, queries
from tests.store.templates import copy_library

BLOCK_BYTES = 262_144


@pytest.fixture(scope="module")
def copied_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of two files, with a copy of its catalogue."""
    library = create_library(tmp_path_factory.mktemp("copied") / "library", "made-up", SPACES)
    with library.writer() as writer:
        writer.add([encoded("/1", "one", steps=5), encoded("/2", "two", steps=5)])
    return library.folder


@pytest.fixture
def copied(copied_template: Path, tmp_path: Path) -> Library:
    return copy_library(copied_template, tmp_path / "library")


def damage(catalogue: Path) -> None:
    """Change a bit in every block that holds something, after the headers."""
    content = bytearray(catalogue.read_bytes())
    for start in range(3 * 4096, len(content), BLOCK_BYTES):
        content[start + 100] ^= 4
    catalogue.write_bytes(content)


def fingerprints(folder: Path) -> list[str]:
    return [file.fingerprint for file in open_library(folder).files()]


def test_the_copy_is_made_at_the_end_of_a_session_that_changed_something(copied: Library) -> None:
    path = copied.folder / "backup" / "library.duckdb"
    before = path.stat().st_ino
    with copied.writer():
        pass
    assert path.stat().st_ino == before
    with copied.writer() as writer:
        writer.add([encoded("/3", "three")])
        assert path.stat().st_ino == before
    assert fingerprints(path.parent) == ["one", "two", "three"]


def test_nothing_is_lost_with_a_current_copy(copied: Library) -> None:
    """Not even the number of the generation: caches and a Milvus stay valid."""
    found, stamp = copied.search(AUDIO.name, queries(AUDIO), 9), (copied.folder / "generation").read_text()
    damage(copied.folder / "library.duckdb")
    with pytest.raises(LibraryDamaged, match="doctor --repair"):
        examine(copied.folder)
    (line,) = repair(copied.folder)
    assert "nothing is lost" in line and "damaged-1" in line
    assert open_library(copied.folder).search(AUDIO.name, queries(AUDIO), 9) == found
    assert (copied.folder / "generation").read_text() == stamp
    assert examine(copied.folder).damaged == ()


def test_shards_that_the_copy_does_not_know_are_kept(copied: Library) -> None:
    shutil.copytree(copied.folder / "backup", copied.folder / "older")
    with copied.writer() as writer:
        writer.add([encoded("/3", "three")])
    shutil.rmtree(copied.folder / "backup")
    (copied.folder / "older").rename(copied.folder / "backup")
    damage(copied.folder / "library.duckdb")
    (line,) = repair(copied.folder)
    assert "embeds again what was added" in line
    assert fingerprints(copied.folder) == ["one", "two"]
    assert len(list((copied.folder / "damaged-1" / "vectors").rglob("*.arrow"))) == 2
    reader, before = open_library(copied.folder), copied.generation()
    assert reader.generation() > 2  # as no reader has seen it
    with reader.writer() as writer:
        writer.add([encoded("/3", "three")])
    assert fingerprints(copied.folder) == ["one", "two", "three"]
    assert before == reader.generation() - 1
    assert len(list((copied.folder / "damaged-1" / "vectors").rglob("*.arrow"))) == 2


@pytest.mark.parametrize("step", ["write_durably", "assign_new_id"])
def test_a_repair_that_was_killed_is_finished_by_the_next(
    copied: Library, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with copied.writer() as writer:
        writer.add([encoded("/3", "three")])
    (copied.folder / "generation").write_text("99 " + (copied.folder / "generation").read_text().split()[1])
    damage(copied.folder / "library.duckdb")

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(catalogue_repair, step, killed)
        list(repair(copied.folder))
    with pytest.raises(LibraryDamaged, match="doctor --repair"), open_library(copied.folder).writer():
        pass
    with pytest.raises(LibraryError):
        create_library(copied.folder, "made-up", SPACES)
    list(repair(copied.folder))
    assert fingerprints(copied.folder) == ["one", "two", "three"]
    assert (len(examine(copied.folder).damaged), examine(copied.folder).lost_commits) == (0, 0)


def test_shards_of_a_lost_catalogue_are_not_swept_by_a_new_library(copied: Library) -> None:
    for name in ("backup", "library.duckdb", "generation"):
        path = copied.folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for act in (open_library, partial(create_library, model_set="made-up", spaces=SPACES)):
        with pytest.raises(LibraryDamaged, match="without its catalogue"):
            act(copied.folder)
    assert len(list(repair(copied.folder))) == 1
    assert create_library(copied.folder, "made-up", SPACES).files() == []
    assert len(list((copied.folder / "damaged-1").rglob("*.arrow"))) == 3


def test_damage_never_reaches_the_copy(copied: Library) -> None:
    path = copied.folder / "backup" / "library.duckdb"
    before = path.read_bytes()
    catalogue = copied.folder / "library.duckdb"
    with duckdb.connect(catalogue) as connection:
        connection.execute("CREATE TABLE unread AS SELECT range AS number FROM range(200_000)")
    content = catalogue.read_bytes()
    catalogue.write_bytes(content[:-BLOCK_BYTES] + bytes([content[-BLOCK_BYTES] ^ 4]) + content[-BLOCK_BYTES + 1 :])
    with pytest.raises(LibraryDamaged, match="doctor --repair"):
        backup.back_up_catalogue(copied.folder, "a later stamp")
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir() if each.suffix == ".new"] == []


def test_the_copy_is_made_before_shards_that_it_knows_are_deleted(
    copied: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted_after_copy: list[bool] = []
    unlink = Path.unlink

    def watched(path: Path, *, missing_ok: bool = False) -> None:
        if path.suffix == ".arrow":
            deleted_after_copy.append("one" not in fingerprints(copied.folder / "backup"))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", watched)
    with copied.writer() as writer:
        writer.remove([1, 2])
        writer.sweep()
    assert deleted_after_copy == [True] * 3


def test_a_damaged_copy_is_noticed_and_made_again(copied: Library) -> None:
    path = copied.folder / "backup" / "library.duckdb"
    damage(path)
    assert isinstance(examine(copied.folder).copy_error, LibraryDamaged)
    (line,) = repair(copied.folder)
    assert "copy of the catalogue was damaged, and is in damaged-1" in line
    with copied.writer():
        pass
    assert fingerprints(copied.folder / "backup") == ["one", "two"]
    assert examine(copied.folder).copy_error is None


def test_a_catalogue_that_was_put_back_is_replaced_by_a_newer_copy(copied: Library, tmp_path: Path) -> None:
    older = shutil.copy(copied.folder / "library.duckdb", tmp_path / "older")
    with copied.writer() as writer:
        writer.add([encoded("/3", "three", steps=5)])
    shutil.copy(older, copied.folder / "library.duckdb")
    (line,) = repair(copied.folder)
    assert "was older than its last commits" in line and "nothing is lost" in line
    assert fingerprints(copied.folder) == ["one", "two", "three"]
    assert examine(copied.folder).damaged == () and list(repair(copied.folder)) == []


@pytest.mark.parametrize("name", ["generation", "calibration.json", "backup/generation", "indexes/texts.vectors"])
def test_a_fifo_of_a_library_is_not_waited_for(copied: Library, name: str) -> None:
    path = copied.folder / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    for use in (lambda: open_library(copied.folder), lambda: list(repair(copied.folder))):
        with pytest.raises(LibraryError, match="is not a regular file"):
            use()


def test_a_long_session_is_copied_while_it_runs(copied: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "BATCHES_PER_COMPACTION", 2)
    with copied.writer() as writer:
        for number in range(3, 7):
            writer.add([encoded(f"/{number}", f"{number}")])
        assert fingerprints(copied.folder / "backup") == ["one", "two", "3", "4", "5"]


def test_a_full_disk_keeps_the_last_copy(copied: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, stamp: str) -> None:
        raise NoSpaceLeft("full")

    with copied.writer() as writer:
        writer.add([encoded("/3", "three")])
        monkeypatch.setattr(Writer, "back_up", lambda writer: full(copied.folder, ""))
    assert fingerprints(copied.folder) == ["one", "two", "three"]
    assert fingerprints(copied.folder / "backup") == ["one", "two"]


def test_a_catalogue_on_a_drive_that_is_not_connected(copied: Library, tmp_path: Path) -> None:
    (copied.folder / "library.duckdb").rename(tmp_path / "elsewhere")
    (copied.folder / "library.duckdb").symlink_to(tmp_path / "drive" / "library.duckdb")
    for refused in (lambda: open_library(copied.folder), lambda: list(repair(copied.folder))):
        with pytest.raises(LibraryUnavailable, match="check that its drive is connected"):
            refused()
    assert (copied.folder / "library.duckdb").is_symlink()
