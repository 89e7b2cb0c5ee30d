"""The commands of README.md do what it says, from top to bottom, as typed, in a home folder of their own.

They are read from its code blocks. The starter set stands in for models that would be downloaded first.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pesearch.indexer import opening as indexer_opening
from pesearch.search import opening as search_opening
from tests.cli.conftest import Run
from tests.packaging.test_docs import ROOT, split_pipeline

README = (ROOT / "README.md").read_text(encoding="utf-8")
PRINTED_HOME = "/home/you"

PROGRAMS = r"(?:\.|docker|git|make|mpv|pip|pipx|podman|python3?|sudo|uv|uvx|pesearch|[A-Z_]+=\S+)"
"""What a line of a code block begins with if it is a command, and not output or a program in Python."""

NOT_RUN = {
    r"make (setup|demo|test|check)": "installs packages; .ci/run runs them",
    r"(pip|pipx|uv|uvx|git|docker|podman|sudo) ": "needs a package index, another program or root",
    r"\. |python3? -m venv": "prepares a shell",
    r"python3? -m (benchmarks|training|tests)": "takes minutes; its figures are in the text",
    r"mpv ": "opens a player",
    r"pesearch (app|serve|mcp)\b": "serves until it is stopped; tests/app starts it",
    r"pesearch index .*--watch": "runs until it is stopped; tests/indexer/test_watch.py",
    r".*(--ray|milvus:http)": "needs a cluster or a server; tests/indexer/cluster, tests/store/index",
}
"""Commands that are not run here, each with the reason; `pesearch models pull` is run, and not confirmed."""

pytestmark = pytest.mark.slow


def command_lines(text: str) -> list[str]:
    """The commands of the code blocks, fenced or indented, in order."""
    blocks = re.findall(r"^```\w*\n(.*?)^```|((?:^    [^\n]*\n)+)", text, re.MULTILINE | re.DOTALL)
    lines = [
        line.strip().removeprefix("$ ") for fenced, indented in blocks for line in (fenced or indented).split("\n")
    ]
    return [line for line in lines if re.match(rf"{PROGRAMS}\s", line)]


def is_run(line: str) -> bool:
    return not any(re.match(pattern, line) for pattern in NOT_RUN)


@dataclass(frozen=True)
class Ran:
    """A command, its exit code and what it printed."""

    words: list[str]
    code: int
    stdout: str
    stderr: str


@pytest.fixture
def home(tmp_path: Path, sample_media: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with ~/videos, and the example files of README in the current folder."""
    home = tmp_path / "home"
    (home / "videos" / "2025").mkdir(parents=True)
    for name in ("siren_train.mp4", "dog_bark.mp4", "speech_platform.mp4", "bell.mp4"):
        shutil.copy(sample_media / name, home / "videos")
    shutil.copy(sample_media / "silent_sun.mp4", home / "videos" / "2025")
    examples = {"siren.wav": "siren_alone.wav", "ball.png": "red_ball.png", "clip.mp4": "bell.mp4"}
    for name, source in {**examples, "film.mp4": "siren_train.mp4"}.items():
        shutil.copy(sample_media / source, home / name)
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    for module in (indexer_opening, search_opening):
        monkeypatch.setattr(module, "default_model_set", lambda: "starter")
    return home


def run_line(pesearch: Run, home: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ran]:
    """Run the `pesearch` commands of a line one after the other, each with the output of the one before."""
    output = ""
    for words in split_pipeline(line):
        while words and re.fullmatch(r"[A-Z_]+=\S+", words[0]):
            monkeypatch.setenv(*words.pop(0).split("=", 1))
        if words[:1] == ["pesearch"]:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(output.encode("utf-8", "surrogateescape"))))
            words = [word.replace("~", str(home), 1) if word.startswith("~/") else word for word in words[1:]]
            result = pesearch(*words)
            output = result.stdout
            yield Ran(words, result.returncode, result.stdout, result.stderr)


def test_its_commands_run_in_its_order(pesearch: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing fails, what is found is printed, exports are written, and a printed answer is what the command prints."""
    ran: list[Ran] = []
    for line in filter(is_run, command_lines(README)):
        done = list(run_line(pesearch, home, line, monkeypatch))
        assert done, f"neither run nor named in NOT_RUN: {line}"
        for each in done:
            assert "Traceback" not in each.stderr, line
            if each.words[:2] == ["models", "pull"] and "--yes" not in each.words:
                assert (each.code, each.stdout) == (2, "") and "add --yes to download 6.95 GB" in each.stderr, line
                continue
            assert each.code in (0, 1), (line, each.stderr)
            if each.words[0] in ("query", "events"):
                assert (each.code == 0) == bool(each.stdout.strip()), line
            else:
                assert each.code == 0, (line, each.stderr)
            for target in (word for word, before in zip(each.words[1:], each.words, strict=False) if before == "--to"):
                assert Path(target).exists(), line
        ran += done
    assert {each.words[0] for each in ran} >= {"index", "query", "events", "export"}
    answer = next(each.stdout for each in ran if each.words[:2] == ["query", "siren and train"])
    shown = re.findall(r"^ *1\. \d.*?\n(?=\n)", README, re.MULTILINE | re.DOTALL)
    assert shown, "README shows no answer"
    printed = [line.strip() for line in answer.replace(str(home), PRINTED_HOME).splitlines()]
    for each in shown:
        lines = [line.strip() for line in each.splitlines()]
        assert lines == printed[: len(lines)]


def test_commands_are_read_from_fenced_and_indented_blocks() -> None:
    text = (
        "Try:\n\n    $ pesearch demo   # quick\n      1. 0.99  film.mp4\n\n```sh\nPESEARCH_LIBRARY=x pesearch status\n"
        "make demo\n```\n\n```python\nimport pesearch\n```\n\npesearch in a sentence\n"
    )
    lines = command_lines(text)
    assert lines == ["pesearch demo   # quick", "PESEARCH_LIBRARY=x pesearch status", "make demo"]
    assert [is_run(line) for line in lines] == [True, True, False]
