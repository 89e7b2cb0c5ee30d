"""Crawling: which files are found, in which order, and which are never opened."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.indexer.crawl import crawl
from pesearch.locations import Location
from pesearch.types import Failure
from tests.indexer.trees import names, plant, public_folder, without_rights


def found(*paths: Path) -> list[Path]:
    return [each.path for each in crawl(paths) if isinstance(each, Location)]


def failed(*paths: Path) -> list[tuple[Path, str]]:
    return [(each.location.path, each.reason) for each in crawl(paths) if isinstance(each, Failure)]


def test_files_before_folders_each_by_name(tmp_path: Path) -> None:
    plant(tmp_path, "b/2.mp4", "b/1.mp4", "a/z/deep.mp4", "a/later.mp4", "c.mp4", "B.mp4")
    assert names(tmp_path, found(tmp_path)) == ["B.mp4", "c.mp4", "a/later.mp4", "a/z/deep.mp4", "b/1.mp4", "b/2.mp4"]


def test_a_location_has_size_and_time(tmp_path: Path) -> None:
    plant(tmp_path, "clip.mp4")
    os.utime(tmp_path / "clip.mp4", ns=(1, 1_234_567_890_123_456_789))
    assert list(crawl([tmp_path])) == [Location(tmp_path / "clip.mp4", len("clip.mp4"), 1_234_567_890_123_456_789)]


def test_paths_that_overlap_give_each_file_once(tmp_path: Path) -> None:
    plant(tmp_path, "a/1.mp4", "a/b/2.mp4")
    paths = found(tmp_path / "a" / "b", tmp_path, tmp_path / "a" / "1.mp4", tmp_path / "a" / ".." / "a")
    assert sorted(names(tmp_path, paths)) == ["a/1.mp4", "a/b/2.mp4"]


def test_hidden_and_system_names_are_skipped(tmp_path: Path) -> None:
    plant(
        tmp_path, "seen.mp4", ".hidden.mp4", "._seen.mp4", ".git/object.mp4", "@eaDir/thumb.jpg",
        "System Volume Information/x.mp4", "$RECYCLE.BIN/x.mp4", "deep/node_modules/x.mp4", "lost+found/x.mp4",
    )  # fmt: skip
    assert names(tmp_path, found(tmp_path)) == ["seen.mp4"]


def test_a_path_given_by_the_user_is_taken_even_if_hidden(tmp_path: Path) -> None:
    plant(tmp_path, ".secret/a.mp4", ".b.mp4")
    assert names(tmp_path, found(tmp_path / ".secret", tmp_path / ".b.mp4")) == [".secret/a.mp4", ".b.mp4"]


def test_a_library_inside_a_folder_is_skipped(tmp_path: Path) -> None:
    plant(tmp_path, "clip.mp4", "library/library.duckdb", "library/thumbnails/1.jpg")
    assert names(tmp_path, found(tmp_path)) == ["clip.mp4"]


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    plant(tmp_path, "tree/z/real.mp4", "elsewhere/far.mp4")
    (tmp_path / "tree" / "a_loop").symlink_to(tmp_path / "tree")
    (tmp_path / "tree" / "a_link").symlink_to(tmp_path / "tree" / "z")
    (tmp_path / "tree" / "out").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tree" / "file.mp4").symlink_to(tmp_path / "elsewhere" / "far.mp4")
    (tmp_path / "tree" / "self").symlink_to(tmp_path / "tree" / "self")
    (tmp_path / "tree" / "dangling.mp4").symlink_to(tmp_path / "nothing")
    assert names(tmp_path / "tree", found(tmp_path / "tree")) == ["file.mp4", "z/real.mp4", "out/far.mp4"]
    assert failed(tmp_path / "tree") == []
    circle = tmp_path / "tree" / "self"
    assert failed(circle) == [(circle, "too many levels of symbolic links")]


def test_pipes_sockets_and_devices_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.mp4"))
    (tmp_path / "null.mp4").symlink_to("/dev/zero")
    assert list(crawl([tmp_path])) == []
    assert failed(tmp_path / "pipe.mp4") == [(tmp_path / "pipe.mp4", "neither a file nor a folder")]


def test_a_missing_path_fails_and_the_others_are_crawled(tmp_path: Path) -> None:
    plant(tmp_path, "clip.mp4")
    assert failed(tmp_path / "gone", tmp_path) == [(tmp_path / "gone", "no such file or directory")]
    assert found(tmp_path / "gone", tmp_path) == [tmp_path / "clip.mp4"]


def test_an_unreadable_folder_fails_and_the_others_are_crawled() -> None:
    with public_folder() as root:
        plant(root, "closed/a.mp4", "closed/folder/", "open/b.mp4")
        (root / "closed").chmod(0)
        with without_rights():
            assert failed(root) == [(root / "closed", "permission denied")]
            assert found(root) == [root / "open" / "b.mp4"]
            inside = [root / "closed" / name for name in ("folder", "a.mp4", "no such file")]
            assert failed(*inside, root / "open") == [(path, "permission denied") for path in inside]
            assert found(*inside, root / "open") == [root / "open" / "b.mp4"]
        (root / "closed").chmod(0o755)


def test_a_tree_deeper_than_the_python_stack(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1200):  # a path this long can only be made step by step
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("clip.mp4", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    assert [path.name for path in found(tmp_path)] == ["clip.mp4"]
    subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # Python's own removal is recursive


HOSTILE = st.binary(min_size=1, max_size=40).filter(
    lambda name: not set(name) & {0, ord("/")} and not name.startswith(b".")
)


@settings(deadline=None, max_examples=50)
@given(st.sets(HOSTILE, min_size=1, max_size=5))
def test_file_names_of_any_bytes(tmp_path_factory: pytest.TempPathFactory, given_names: set[bytes]) -> None:
    root = tmp_path_factory.mktemp("hostile")
    for name in given_names:
        Path(root, os.fsdecode(name)).touch()
    assert [os.fsencode(path.name) for path in found(root)] == sorted(given_names, key=lambda name: os.fsdecode(name))
