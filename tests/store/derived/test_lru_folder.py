"""Files that can be made again: kept while there is room, and nobody's trouble when there is none."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from pesearch.store.derived.lru_folder import LruFolder
from tests.small_disk import SmallDisk


def test_what_is_kept_is_read(tmp_path: Path) -> None:
    made = LruFolder(tmp_path / "thumbnails", 1000)
    assert made.read("a.jpg") is None
    assert made.path("a.jpg") is None
    made.keep("a.jpg", b"picture")
    assert made.read("a.jpg") == b"picture"
    assert LruFolder(tmp_path / "thumbnails", 1000).path("a.jpg") == tmp_path / "thumbnails" / "a.jpg"
    assert [path.name for path in made.folder.iterdir()] == ["a.jpg"]


def test_an_empty_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    made = LruFolder(tmp_path, 1000)
    assert (made.read("a.jpg"), made.path("a.jpg")) == (None, None)


@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_never_more_than_is_allowed_and_the_newest_stays(sizes: list[int]) -> None:
    with TemporaryDirectory() as folder:
        made = LruFolder(Path(folder), 1000)
        for number, size in enumerate(sizes):
            made.keep(str(number), bytes(size))
            os.utime(made.folder / str(number), ns=(number, number))
            assert sum(path.stat().st_size for path in made.folder.iterdir()) <= 1000
            assert made.read(str(number)) is not None


def test_what_was_used_last_stays(tmp_path: Path) -> None:
    made = LruFolder(tmp_path, 1000)
    for number in range(3):
        made.keep(f"{number}", bytes(300))
        os.utime(tmp_path / f"{number}", ns=(number, number))
    assert made.path("0") is not None
    made.keep("3", bytes(300))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "3"]


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "thumbnails").write_text("a file stands in the way")
    made = LruFolder(tmp_path / "thumbnails", 1000)
    made.keep("a.jpg", b"picture")
    assert made.read("a.jpg") is None


def test_a_full_disk_keeps_nothing(disk: SmallDisk) -> None:
    made = LruFolder(disk.folder / "thumbnails", 1 << 30)
    made.keep("a.jpg", b"picture")
    made.keep("b.jpg", bytes(100 << 20))
    assert made.read("a.jpg") == b"picture"
    assert made.read("b.jpg") is None
    assert [path.name for path in made.folder.iterdir()] == ["a.jpg"]
