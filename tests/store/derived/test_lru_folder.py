"""LRU folders: files are kept while there is room, and a full or read-only disk is no error."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.store.derived.lru_folder import LruFolder
from tests.small_disk import SmallDisk


def name(number: int) -> str:
    """As of a file that was made here."""
    return f"{number:040x}"


def test_kept_file_can_be_read(tmp_path: Path) -> None:
    cache = LruFolder(tmp_path / "thumbnails", 1000)
    assert cache.read("a.jpg") is None
    assert cache.path("a.jpg") is None
    cache.keep("a.jpg", b"picture")
    assert cache.read("a.jpg") == b"picture"
    assert LruFolder(tmp_path / "thumbnails", 1000).path("a.jpg") == tmp_path / "thumbnails" / "a.jpg"
    assert [path.name for path in cache.folder.iterdir()] == ["a.jpg"]


def test_empty_file_counts_as_missing(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    cache = LruFolder(tmp_path, 1000)
    assert (cache.read("a.jpg"), cache.path("a.jpg")) == (None, None)


@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_size_limit_holds_and_the_newest_file_stays(sizes: list[int]) -> None:
    with TemporaryDirectory() as folder:
        cache = LruFolder(Path(folder), 1000)
        for number, size in enumerate(sizes):
            cache.keep(name(number), bytes(size))
            os.utime(cache.folder / name(number), ns=(number, number))
            assert sum(path.stat().st_size for path in cache.folder.iterdir()) <= 1000
            assert cache.read(name(number)) is not None


def test_recently_used_file_stays(tmp_path: Path) -> None:
    cache = LruFolder(tmp_path, 1000)
    for number in range(3):
        cache.keep(name(number), bytes(300))
        os.utime(tmp_path / name(number), ns=(number, number))
    (tmp_path / "holiday.mp4").write_bytes(bytes(900))  # the folder may be a link to the user's own
    os.utime(tmp_path / "holiday.mp4", ns=(0, 0))
    assert cache.path(name(0)) is not None
    cache.keep(name(3), bytes(300))
    assert sorted(path.name for path in tmp_path.iterdir()) == [name(0), name(3), "holiday.mp4"]


def test_folder_that_cannot_be_created_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "thumbnails").write_text("a file with the name of the folder")
    cache = LruFolder(tmp_path / "thumbnails", 1000)
    cache.keep("a.jpg", b"picture")
    assert cache.read("a.jpg") is None


def test_full_disk_is_no_error_and_leaves_no_part(disk: SmallDisk) -> None:
    cache = LruFolder(disk.folder / "thumbnails", 1 << 30)
    cache.keep("a.jpg", b"picture")
    cache.keep("b.jpg", bytes(100 << 20))
    assert cache.read("a.jpg") == b"picture"
    assert cache.read("b.jpg") is None
    assert [path.name for path in cache.folder.iterdir()] == ["a.jpg"]


def test_file_of_a_failed_write_is_not_kept(tmp_path: Path) -> None:
    cache = LruFolder(tmp_path / "proxies", 1000)

    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.EIO, "input/output error")

    with pytest.raises(OSError, match="input/output error"):
        cache.add("a.mp4", fail)
    assert list(cache.folder.iterdir()) == []
    assert cache.add("a.mp4", lambda path: path.write_bytes(b"whole")) == tmp_path / "proxies" / "a.mp4"
    assert cache.read("a.mp4") == b"whole"
