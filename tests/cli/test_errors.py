"""Whatever goes wrong ends in one line on stderr that says what to do, and in the right exit code."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def one_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("pesearch: ")]
    assert len(lines) == 1
    assert "Traceback" not in text
    return lines[0]


def test_no_library(pesearch: Run, tmp_path: Path) -> None:
    result = pesearch("query", "siren", "--library", tmp_path / "none")
    assert result.returncode == 2
    assert result.stdout == ""
    assert "pesearch index" in one_line(result.stderr)


@pytest.mark.parametrize("place", ["~nobody-of-that-name/library", "loop/library"])
def test_a_place_that_can_hold_no_library(pesearch: Run, tmp_path: Path, place: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    result = pesearch("query", "siren", "--library", tmp_path / place if place.startswith("loop") else place)
    assert result.returncode == 2
    assert "unexpected" not in one_line(result.stderr)


def test_unknown_model(pesearch: Run, tmp_path: Path) -> None:
    result = pesearch("index", tmp_path, "--model", "huge", "--library", tmp_path / "library")
    assert result.returncode == 2
    assert "starter" in one_line(result.stderr)
    assert not (tmp_path / "library").exists()


@pytest.mark.parametrize("name", ["small", "light"])
def test_a_model_that_is_not_here_names_both_ways_out(pesearch: Run, tmp_path: Path, name: str) -> None:
    result = pesearch("index", tmp_path, "--model", name, "--library", tmp_path / "library")
    assert result.returncode == 2
    line = one_line(result.stderr)
    assert f"pesearch models pull {name}" in line
    assert "--model starter" in line
    assert not (tmp_path / "library").exists()


def test_the_hub_is_not_asked_when_it_is_switched_off(pesearch: Run) -> None:
    result = pesearch("models", "pull", "light", "--yes")
    assert result.returncode == 2
    assert "GB" in result.stderr
    assert "HF_HUB_OFFLINE" in one_line(result.stderr)


def test_nothing_asked(pesearch: Run) -> None:
    result = pesearch("query")
    assert result.returncode == 2
    assert "the query is empty" in one_line(result.stderr)


def test_a_mistake_in_a_query_is_shown_before_the_library_is_opened(pesearch: Run, tmp_path: Path) -> None:
    result = pesearch("query", "日本語 AND OR siren", "--library", tmp_path / "none")
    assert result.returncode == 2
    assert result.stdout == ""
    line, shown, caret = result.stderr.splitlines()
    assert "'OR' (character 9): expected something to look for" in one_line(line)
    assert (shown, caret) == ("  日本語 AND OR siren", "             ^")


def test_spoken_words_are_no_query(pesearch: Run, tmp_path: Path) -> None:
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
def test_bytes_that_are_no_text(pesearch: Run, tmp_path: Path, command: list[str], place: str) -> None:
    result = pesearch(*command, "--library", tmp_path / "none")
    assert result.returncode == 2
    assert place in one_line(result.stderr)


def test_wrong_option(pesearch: Run) -> None:
    result = pesearch("query", "siren", "--nearest")
    assert result.returncode == 2
    assert "--nearest" in result.stderr


def test_a_device_that_is_not_there(pesearch: Run, tmp_path: Path) -> None:
    result = pesearch("index", tmp_path, "--model", "starter", "--device", "abacus", "--library", tmp_path / "library")
    assert result.returncode == 2
    assert "abacus" in one_line(result.stderr)


def test_models_are_listed_without_network(pesearch: Run) -> None:
    result = pesearch("models")
    assert result.returncode == 0
    rows = {line.split()[0]: line for line in result.stdout.splitlines()[1:]}
    assert set(rows) == {"starter", "small", "base", "large", "light"}
    assert " yes " in rows["starter"]
    assert " no " in rows["small"]
    assert "Apache-2.0" in rows["small"]


def test_nothing_to_index(pesearch: Run) -> None:
    ended = pesearch("index")
    assert ended.returncode == 2
    assert "PATH" in ended.stderr


WITHOUT_THE_EXTRA = """
import sys
for name in ("pymilvus", "milvus_lite", "grpc"):
    sys.modules[name] = None
from pesearch.cli.main import main
main()
"""


@pytest.mark.parametrize("uri", ["lite.db", "http://127.0.0.1:9"])
def test_milvus_without_its_packages(sample_media: Path, tmp_path: Path, uri: str) -> None:
    """One line names the extra, and no library is made. None of its packages is of the base install."""
    command = ["index", str(sample_media), "--model", "starter", "--library", "new", "--vectors", f"milvus:{uri}"]
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_EXTRA, *command], cwd=tmp_path, capture_output=True, text=True
    )
    assert (ended.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "pip install 'pesearch[cluster]'" in one_line(ended.stderr)
    project = tomllib.loads((sample_media.parent / "pyproject.toml").read_text())["project"]
    assert {"pymilvus", "milvus-lite"} <= {
        line.partition(">")[0] for line in project["optional-dependencies"]["cluster"]
    }
    assert not [line for line in project["dependencies"] if "milvus" in line]


def test_a_milvus_that_is_away(tmp_path: Path, sample_media: Path, pesearch: Run) -> None:
    pytest.importorskip("pymilvus")
    command = ("index", sample_media, "--model", "starter", "--library", tmp_path / "new")
    ended = pesearch(*command, "--vectors", "milvus:http://127.0.0.1:9")
    assert ended.returncode == 2
    assert "--vectors faiss" in one_line(ended.stderr)
    assert not (tmp_path / "new").exists()
