"""Other users of the machine: new libraries are private, and doctor's check names those that are not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pesearch.cli import doctor_command
from pesearch.store.disk import permissions
from pesearch.store.disk.permissions import is_open_to_others
from pesearch.store.library import Library, create_library
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
    monkeypatch.setattr(doctor_command, "shared_models", str)
    assert doctor_command.check_library(library.folder)
    assert f"open     library  other users can read it: `chmod 700 {library.folder}`" in capsys.readouterr().out
