"""Other users of the machine: new libraries are private, and doctor's check names those that are not."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pesearch.app.storage_folders import thumbnail_cache
from pesearch.cli import doctor_command
from pesearch.errors import LibraryUnavailable
from pesearch.store.disk import permissions
from pesearch.store.disk.permissions import LOCK_FILE, is_open_to_others, library_owner, locks_owner_out, may_write
from pesearch.store.doctor import repair
from pesearch.store.index.text_vectors import keep_text_vectors
from pesearch.store.library import Library, create_library, open_library
from tests.indexer.trees import public_folder
from tests.store.contents import SPACES, encoded


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_a_new_library_is_private_with_the_folders_above_it(tmp_path: Path) -> None:
    library = create_library(tmp_path / "data" / "pesearch" / "library", "made-up", SPACES)
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
    assert {mode(folder) for folder in (library.folder, *list(library.folder.parents)[:2])} == {0o700}


@pytest.mark.usefixtures("usual_umask")
def test_a_folder_that_exists_keeps_its_mode_and_is_shared_with_what_is_in_it(tmp_path: Path) -> None:
    """A team may share a library through the group of its folder."""
    (tmp_path / "library").mkdir(0o750)
    library = create_library(tmp_path / "library", "made-up", SPACES)
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
    assert mode(library.folder) == 0o750
    assert {mode(path) for path in library.folder.rglob("*") if path.is_dir()} == {0o755}
    assert mode(library.folder / "library.duckdb") & 0o044 == 0o044


def test_a_group_can_write_what_a_umask_shares_with_it(tmp_path: Path) -> None:
    before = os.umask(0o002)
    try:
        (tmp_path / "library").mkdir(0o770)
        with create_library(tmp_path / "library", "made-up", SPACES).writer() as writer:
            writer.add([encoded("/a", "one")])
    finally:
        os.umask(before)
    assert {mode(path) & 0o020 for path in (tmp_path / "library").rglob("*")} == {0o020}
    assert mode(tmp_path / "library" / LOCK_FILE) == 0o664


def test_a_member_of_the_group_leaves_no_caches_to_the_owner(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(permissions, "library_owner", lambda folder: 54321)
    before = sorted(library.folder.rglob("*"))
    keep_text_vectors(library.folder, (), [], {})
    assert thumbnail_cache(library.folder).folder.parent != library.folder
    assert sorted(library.folder.rglob("*")) == before


@pytest.mark.parametrize("top_owner", [65534, 0])
def test_root_reads_the_library_of_another_user_and_does_not_write_to_it(tmp_path: Path, top_owner: int) -> None:
    """Its owner could write neither the lock nor folders that root creates there, also where the folder itself is of
    root, as the first one of a drive."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    library = create_library(tmp_path / "library", "made-up", SPACES)
    for path in (library.folder, *library.folder.rglob("*")):
        os.chown(path, 65534, 65534)
    os.chown(library.folder, top_owner, top_owner)
    before = sorted(library.folder.rglob("*"))
    for write in (lambda: list(repair(library.folder)), library.writer().__enter__):
        with pytest.raises(LibraryUnavailable, match="run the command as that user"):
            write()
    keep_text_vectors(library.folder, (), [], {})
    assert thumbnail_cache(library.folder).folder.parent != library.folder
    assert sorted(library.folder.rglob("*")) == before
    assert {path.stat().st_uid for path in before} == {65534}
    assert library_owner(library.folder) == 65534
    assert open_library(library.folder).files() == []
    os.chown(library.folder, 65534, 65534)
    with library.writer(as_root=True) as writer:
        writer.add([encoded("/a", "one")])


def test_a_drive_that_fails_has_no_owner_and_keeps_no_caches(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, **named: bool) -> os.stat_result:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(Path, "stat", fail)
    with pytest.raises(LibraryUnavailable, match="check that its drive"):
        may_write(library.folder)
    keep_text_vectors(library.folder, (), [], {})


def test_a_file_system_without_owners_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As exFAT: each file belongs to the user of the mount, whoever creates it."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    if os.getuid() == 0:
        stat = os.stat_result((0o40755, 1, 1, 1, 1000, 1000, 0, 0, 0, 0))
        monkeypatch.setattr(Path, "stat", lambda path, **named: stat)
        monkeypatch.setattr(permissions.os, "fstat", lambda descriptor: stat)
    assert not locks_owner_out(tmp_path)


@pytest.mark.parametrize(
    ("above", "own", "is_open"),
    [(0o755, 0o755, True), (0o755, 0o701, True), (0o755, 0o750, False), (0o700, 0o755, False), (0o711, 0o704, True)],
)
def test_others_can_read_a_folder_if_they_reach_it(above: int, own: int, is_open: bool) -> None:
    with public_folder() as above_it:
        folder = above_it / "library"
        folder.mkdir()
        folder.chmod(own)
        folder.parent.chmod(above)
        if not all(parent.stat().st_mode & 0o001 for parent in folder.parent.parents):
            pytest.skip("the folder for temporary files is private")
        assert is_open_to_others(folder) == is_open


def test_doctor_names_a_library_that_others_can_read(
    library: Library, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permissions, "is_open_to_others", lambda folder: folder == library.folder)
    for check in ("shared_models", "query_models"):
        monkeypatch.setattr(doctor_command, check, str)
    assert doctor_command.check_library(library.folder)
    assert f"open     library  other users can read it: `chmod 700 {library.folder}`" in capsys.readouterr().out
