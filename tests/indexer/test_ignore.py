"""Ignore files and --exclude follow the rules of gitignore."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.errors import PesearchError
from pesearch.indexer.crawl import crawl
from pesearch.locations import Location
from pesearch.types import Failure
from tests.indexer.trees import names, plant

LONG = "a" * 5000
"""Longer than a path."""


def found(root: Path, excludes: Sequence[str] = ()) -> list[str]:
    return names(root, [each.path for each in crawl([root], excludes) if isinstance(each, Location)])


def test_an_ignore_file_applies_below_its_folder(tmp_path: Path) -> None:
    plant(tmp_path, "raw/a.mp4", "keep/raw/b.mp4", "c.tmp", "keep/c.tmp")
    (tmp_path / "keep" / ".pesearchignore").write_text("# proxies\n\n*.tmp\n")
    assert found(tmp_path) == ["c.tmp", "keep/raw/b.mp4", "raw/a.mp4"]


def test_deeper_ignore_files_override_and_re_include(tmp_path: Path) -> None:
    plant(tmp_path, "a.wav", "music/b.wav", "music/c.wav", "music/deep/b.wav")
    (tmp_path / ".pesearchignore").write_text("*.wav\n")
    (tmp_path / "music" / ".pesearchignore").write_text("!b.wav\n")
    assert found(tmp_path) == ["music/b.wav", "music/deep/b.wav"]


def test_files_in_an_ignored_folder_cannot_be_re_included(tmp_path: Path) -> None:
    plant(tmp_path, "private/a.mp4", "b.mp4")
    (tmp_path / ".pesearchignore").write_text("private/\n!private/a.mp4\n")
    assert found(tmp_path) == ["b.mp4"]


def test_excludes_override_ignore_files(tmp_path: Path) -> None:
    plant(tmp_path, "a.mp4", "b.mp4")
    (tmp_path / ".pesearchignore").write_text("!a.mp4\n")
    assert found(tmp_path, ["a.*"]) == ["b.mp4"]


@pytest.mark.parametrize("pattern", ["drafts", "/drafts", "drafts/", "films/../drafts", "**/drafts"])
def test_excluding_a_folder(tmp_path: Path, pattern: str) -> None:
    plant(tmp_path, "drafts/a.mp4", "films/b.mp4")
    expected = ["drafts/a.mp4", "films/b.mp4"] if ".." in pattern else ["films/b.mp4"]
    assert found(tmp_path, [pattern]) == expected


def test_excluding_an_absolute_path(tmp_path: Path) -> None:
    plant(tmp_path, "a/x.mp4", "b/x.mp4")
    assert found(tmp_path, [str(tmp_path / "a")]) == ["b/x.mp4"]


def test_a_pattern_does_not_match_the_folders_above(tmp_path: Path) -> None:
    root = plant(tmp_path / "videos", "clip.mp4")
    assert found(root, ["videos", tmp_path.parts[1]]) == ["clip.mp4"]


def test_a_file_given_by_the_user_can_be_excluded(tmp_path: Path) -> None:
    plant(tmp_path, "a.mp4", "b.mp4")
    both = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    assert [each.path for each in crawl(both, ["a*"]) if isinstance(each, Location)] == both[1:]


def test_an_invalid_pattern(tmp_path: Path) -> None:
    plant(tmp_path, "sub/a.mp4", "b.mp4")
    with pytest.raises(PesearchError, match="--exclude: not a valid gitignore pattern"):
        list(crawl([tmp_path], [LONG]))
    (tmp_path / "sub" / ".pesearchignore").write_text(f"!\n{LONG}\n")
    failure = next(each for each in crawl([tmp_path]) if isinstance(each, Failure))
    assert failure.location.path == tmp_path / "sub"
    assert "not a valid gitignore pattern" in failure.reason
    assert found(tmp_path) == ["b.mp4"]  # files that may be meant to be excluded are not taken


def test_an_ignore_file_of_any_bytes(tmp_path: Path) -> None:
    Path(tmp_path, os.fsdecode(b"caf\xe9.mp4")).touch()
    plant(tmp_path, "a.mp4")
    (tmp_path / ".pesearchignore").write_bytes(b"\xef\xbb\xbfcaf\xe9.*\r\n")
    assert found(tmp_path) == ["a.mp4"]


LEFT_OUT = ["a", "*.x", "/a", "a/", "b/*", "**/b", "a/b", "?", "[ab].x", "/*", "b/**/c", "a/**", "*", "*/"]
TAKEN_BACK = ["!a", "!*.x", "!b/", "!a/b/", "!b/a", "!*/", "!/b", "!c", "!**"]
LINES = st.lists(st.sampled_from(LEFT_OUT + TAKEN_BACK), max_size=4)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    subprocess.run(["git", "init", "-q", root], check=True)
    return plant(root, "a.x", "b.x", "c", "a/a.x", "a/b/c", "a/b/b.x", "b/a/c", "b/c", "b/b.x", "d/a/b")


@settings(deadline=None, max_examples=30)
@given(top=LINES, inner=LINES)
def test_the_same_files_as_git(repository: Path, top: list[str], inner: list[str]) -> None:
    for folder, lines in ((repository, top), (repository / "b", inner)):
        for name in (".pesearchignore", ".gitignore"):
            (folder / name).write_text("".join(f"{line}\n" for line in lines))
    command = ["git", "-C", repository, "-c", "core.excludesFile=/dev/null"]
    listed = subprocess.run([*command, "ls-files", "-o", "--exclude-standard", "-z"], check=True, capture_output=True)
    expected = [name for name in listed.stdout.decode().split("\0") if name and not Path(name).name.startswith(".")]
    assert sorted(found(repository)) == sorted(expected)
