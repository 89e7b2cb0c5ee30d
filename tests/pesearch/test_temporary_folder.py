"""Temporary folders are private, and those of processes that were killed are deleted; others never."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from pesearch.temporary_folder import MIN_AGE_SECONDS, PREFIX, TemporaryFolder, sweep_temporary_folders

KILLED = """
import os
import re
from pathlib import Path
from pesearch.temporary_folder import TemporaryFolder
folder = TemporaryFolder()
Path(folder.name, "cues").write_text("what was said")
os._exit(9)
"""


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def age(folder: Path) -> None:
    """Make a folder old enough to be deleted."""
    past = time.time() - MIN_AGE_SECONDS - 1
    os.utime(folder, (past, past))


def test_the_folder_of_a_killed_process_is_deleted_by_the_next(parent: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED], check=False, env={**os.environ, "TMPDIR": str(parent)})
    (left,) = parent.glob(f"{PREFIX}*")
    assert (left / "cues").exists()
    with TemporaryFolder() as young:
        assert left.exists(), "it may have been created just now"
    age(left)
    with TemporaryFolder() as other:
        age(Path(other))
        sweep_temporary_folders(parent)
        assert not left.exists()
        assert Path(other).exists() and not Path(young).exists()


def test_only_this_user_can_enter_it_and_it_is_deleted_at_the_end(parent: Path) -> None:
    before = os.umask(0)
    try:
        with TemporaryFolder() as name:
            assert Path(name).stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)
    assert list(parent.iterdir()) == []


def test_nothing_else_is_deleted(parent: Path) -> None:
    """Folders of other programs, and links, whatever their names."""
    elsewhere = parent / "elsewhere"
    kept = [elsewhere, parent / "pesearch-1000", parent / "pesearch-ray-x"]
    for folder in kept:
        folder.mkdir()
        (folder / "file").touch()
        age(folder)
    (parent / f"{PREFIX}link").symlink_to(elsewhere)
    (parent / f"{PREFIX}file").touch()
    sweep_temporary_folders(parent)
    assert all((folder / "file").exists() for folder in kept)


def test_all_temporary_folders_are_of_this_kind() -> None:
    """Except those inside others or the library."""
    house = Path(__file__).parents[2]
    rooms = ("app", "cli", "encoders", "evaluation", "export", "indexer", "media", "pesearch", "search", "store")
    sources = [path for room in rooms for path in (house / room).rglob("*.py") if not path.is_symlink()]
    made = {
        path.relative_to(house).as_posix()
        for path in sources
        if re.search(r"TemporaryDirectory[(\[]|mkdtemp", path.read_text())
    }
    assert made == {"pesearch/temporary_folder.py", "app/clip_archive.py", "app/uploads.py"}


def test_a_folder_elsewhere_is_deleted_by_the_next_one_there(parent: Path, tmp_path: Path) -> None:
    """As those of Ray, whose sockets need short paths."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    left = elsewhere / f"{PREFIX}left"
    left.mkdir()
    age(left)
    with TemporaryFolder(str(elsewhere)) as name:
        assert [Path(name)] == list(elsewhere.iterdir())
