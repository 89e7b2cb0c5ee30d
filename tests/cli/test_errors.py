"""User errors: one line on stderr that says what to do, and exit code 2."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Run, one_line


def test_no_library(pesearch: Run, tmp_path: Path) -> None:
    result = pesearch("query", "siren", "--library", tmp_path / "none")
    assert (result.returncode, result.stdout) == (2, "")
    assert "pesearch index" in one_line(result.stderr)


@pytest.mark.parametrize("path", ["~nobody-of-that-name/library", "loop/library"])
def test_impossible_library_path(pesearch: Run, tmp_path: Path, path: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    result = pesearch("query", "siren", "--library", tmp_path / path if path.startswith("loop") else path)
    assert result.returncode == 2
    assert "unexpected" not in one_line(result.stderr)


def test_unknown_model_set(pesearch: Run, tmp_path: Path) -> None:
    result = pesearch("index", tmp_path, "--model", "huge", "--library", tmp_path / "library")
    assert result.returncode == 2
    assert "starter" in one_line(result.stderr)
    assert not (tmp_path / "library").exists()


@pytest.mark.parametrize("name", ["small", "light"])
def test_model_set_is_not_installed(pesearch: Run, tmp_path: Path, name: str) -> None:
    """Without a terminal one line names the download command with its size, and the demo; the starter set is none for
    people's own media."""
    result = pesearch("index", tmp_path, "--model", name, "--library", tmp_path / "library")
    size = {"small": "7.84", "light": "6.95"}[name]
    assert (result.returncode, result.stdout) == (2, "")
    assert re.fullmatch(
        rf"pesearch: The model set {name} is not on this machine: fetch it with `pesearch models pull {name}` "
        rf"\({size} GB; {tmp_path}/models/hub has [\d.]+ GB free\)\. Try pesearch without a "
        r"download: `pesearch demo`\.\n",
        result.stderr,
    )
    assert not (tmp_path / "library").exists()


def test_pull_with_hf_hub_offline_makes_no_request(pesearch: Run) -> None:
    result = pesearch("models", "pull", "light", "--yes")
    assert result.returncode == 2
    assert "GB" in result.stderr
    assert "HF_HUB_OFFLINE" in one_line(result.stderr)


def test_models_are_listed_without_network(pesearch: Run) -> None:
    result = pesearch("models")
    assert result.returncode == 0
    header, *lines = result.stdout.splitlines()
    assert header.split() == ["SET", "SIZE", "LICENCE", "INSTALLED", "USE"]
    rows = {line.split()[0]: line for line in lines}
    assert set(rows) == {"starter", "small", "base", "large", "light"}
    assert " yes " in rows["starter"]
    assert " no " in rows["small"]
    assert "Apache-2.0" in rows["small"]
    assert pesearch("models", "pull", "starter").stderr == "starter is already installed\n"


def test_empty_query(pesearch: Run) -> None:
    result = pesearch("query")
    assert result.returncode == 2
    assert "the query is empty" in one_line(result.stderr)


def test_syntax_error_is_marked_before_the_library_is_opened(pesearch: Run, tmp_path: Path) -> None:
    result = pesearch("query", "日本語 AND OR siren", "--library", tmp_path / "none")
    assert (result.returncode, result.stdout) == (2, "")
    line, shown, caret = result.stderr.splitlines()
    assert "'OR' (character 9): expected something to look for" in one_line(line)
    assert (shown, caret) == ("  日本語 AND OR siren", "             ^")


def test_speech_is_not_parsed_as_a_query(pesearch: Run, tmp_path: Path) -> None:
    result = pesearch("query", "this AND", "--speech", "--library", tmp_path / "none")
    assert "pesearch index" in one_line(result.stderr)


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (["query", "siren \udcff"], "at '?' (character 7): expected valid UTF-8"),
        (["query", 'said:"a \udcff"'], "at '?\"' (character 9): expected valid UTF-8"),
        (["query", "siren \udcff", "--speech"], "invalid UTF-8 at character 7 of the query"),
    ],
)
def test_invalid_utf8(pesearch: Run, tmp_path: Path, command: list[str], place: str) -> None:
    result = pesearch(*command, "--library", tmp_path / "none")
    assert result.returncode == 2
    assert place in one_line(result.stderr)


def test_unknown_option(pesearch: Run) -> None:
    result = pesearch("query", "siren", "--nearest")
    assert result.returncode == 2
    assert "--nearest" in result.stderr


def test_unknown_device(pesearch: Run, tmp_path: Path) -> None:
    result = pesearch("index", tmp_path, "--model", "starter", "--device", "abacus", "--library", tmp_path / "library")
    assert result.returncode == 2
    assert "abacus" in one_line(result.stderr)


def test_index_without_paths(pesearch: Run) -> None:
    result = pesearch("index")
    assert result.returncode == 2
    assert "PATH" in result.stderr
