"""The commands of README.md do what it says, in its order, with the starter set in place of a downloaded one.

`make` and `pip` lines are not run here: `.ci/run` runs `make test` and `make demo`, and tests/app runs `pesearch app`.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import pytest

from pesearch.indexer import opening as indexer_opening
from pesearch.search import opening as search_opening
from tests.cli.conftest import Run
from tests.packaging.test_docs import ROOT, split_pipeline

README = (ROOT / "README.md").read_text(encoding="utf-8")
PRINTED_FOLDER = "/home/you/videos"

pytestmark = pytest.mark.slow


def command_lines(text: str) -> list[str]:
    """The indented lines that begin with `pesearch`, in order."""
    return [line.strip() for line in text.splitlines() if line.startswith("    pesearch ")]


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


def test_its_commands_run_in_its_order(pesearch: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    for line in command_lines(README):
        output = ""
        for command in split_pipeline(line):
            if command[:1] != ["pesearch"]:
                continue
            words = [word.replace("~", str(home), 1) if word.startswith("~/") else word for word in command[1:]]
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(output.encode())))
            if words[:1] == ["app"]:
                continue
            result = pesearch(*words)
            output = result.stdout
            if words[:2] == ["models", "pull"]:  # not confirmed, so that nothing is downloaded
                assert "Download 6.95 GB? [y/N]" in result.stderr
                continue
            assert result.returncode in (0, 1), (line, result.stderr)
            assert "Traceback" not in result.stderr, line
            assert (result.returncode == 0) == bool(result.stdout.strip()) or words[0] in ("index", "export"), line
            ran.append(words[0])
    assert set(ran) >= {"index", "query", "events", "export"}
    assert (home / "cuts.edl").read_text().startswith("TITLE:")
    assert [path.suffix for path in (home / "clips").iterdir()]


def test_its_output_is_what_the_command_prints(pesearch: Run, home: Path) -> None:
    pesearch("index", home / "videos")
    printed = pesearch("query", "siren and train").stdout.replace(f"{home}/videos", PRINTED_FOLDER)
    start = README.index("      1. ")
    shown = README[start : README.index("\n\n", start)]
    assert [line.strip() for line in shown.splitlines()] == [line.strip() for line in printed.splitlines()][:5]
