"""Lines of ignore files match as in git, in a time that no pattern can make long."""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.indexer.ignore_pattern import MAX_PATTERN_CHARACTERS, compile_line

PIECES = [
    "a",
    "b",
    "*",
    "/",
    "?",
    "[",
    "]",
    "\\",
    "!",
    "-",
    " ",
    "[ab]",
    "[!a]",
    "[a-c]",
    "[[:alpha:]]",
    "[]a]",
    "**/",
    "/**",
]
PATTERNS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=7).map("".join).filter(lambda line: line[0] != "!")
NAMES = st.text("abc]-[! \\^*", min_size=1, max_size=3)
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), min_size=20, max_size=40, unique=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


@settings(max_examples=60)
@given(pattern=PATTERNS, paths=PATHS)
def test_the_same_paths_as_git_check_ignore(repository: Path, pattern: str, paths: list[str]) -> None:
    (repository / ".gitignore").write_text(f"{pattern}\n")
    command = ["git", "-C", repository, "check-ignore", "--no-index", "-z", "--stdin"]
    listed = subprocess.run(command, input="\0".join(paths).encode(), capture_output=True)
    assert listed.returncode in (0, 1)
    assert {path for path in paths if matches(pattern, path)} == set(listed.stdout.decode().split("\0")) - {""}


def matches(pattern: str, path: str) -> bool:
    """Whether a line excludes a file, or a folder above it."""
    compiled, parts = compile_line(pattern), path.split("/")
    paths = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return compiled is not None and any(compiled.matches(each, is_folder=each != path) for each in paths)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a*a*a*a*a*a*a*a*a*a*a*ab", "a" * 200),
        ("*a" * 2000 + "b", "a" * 4000),
        ("**/*a*a/" * 400 + "b", "/".join(["aaa"] * 1300)),
        ("**/a/" * 800 + "b", "/".join("a" * 2000)),
        ("**/?*?*?*?b", "/".join(["aaa"] * 1300)),
    ],
)
def test_many_stars_end_in_time(pattern: str, path: str) -> None:
    """With backtracking, the first of these takes longer than the tests may."""
    assert not matches(pattern, path)


@pytest.mark.parametrize("pattern", ["[[", "[[a]", "[a&&b]", "[a||b]", "[a--b]", "[a~~b]"])
def test_brackets_of_other_languages_are_plain_characters(pattern: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Python warns of sets that it may nest one day
        assert matches(pattern, "[") == (pattern == "[[a]")


@pytest.mark.parametrize(("pattern", "path"), [("?.mp4", "é.mp4"), ("[^a]", "東"), ("[à-ï]", "é"), ("?", "\udce9")])
def test_a_character_beyond_ascii_is_one_character(pattern: str, path: str) -> None:
    """In git it is two or three bytes. A byte that is not UTF-8 is one."""
    assert matches(pattern, path)


def test_a_line_longer_than_a_path_is_invalid_and_one_without_a_pattern_is_ignored() -> None:
    with pytest.raises(ValueError, match="longer than 4096"):
        compile_line("a" * (MAX_PATTERN_CHARACTERS + 1))
    assert [compile_line(line) for line in ("# note", "   ", "!", "!  ", "a[")] == [None] * 5
