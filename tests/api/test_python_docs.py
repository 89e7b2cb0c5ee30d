"""The code of docs/python.md runs, in its order, in a home folder with a library that the starter set made."""

from __future__ import annotations

import logging
import re
import shutil
from pathlib import Path

import pytest

from pesearch.store import library as store

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def home(tmp_path: Path, sample_library: store.Library, sample_media: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with a library of the samples, copies of some in ~/videos, and one that is in no library."""
    shutil.copytree(sample_library.folder, tmp_path / "library")
    (tmp_path / "videos").mkdir()
    (tmp_path / "music").mkdir()
    shutil.copy(sample_media / "siren_train.mp4", tmp_path / "videos" / "film.mp4")
    shutil.copy(sample_media / "siren_alone.wav", tmp_path / "videos")
    shutil.copy(sample_media / "red_ball.png", tmp_path / "ball.png")
    (tmp_path / "videos" / "broken.mp4").write_bytes(b"\0" * 100)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_code_of_the_documentation_runs(
    home: Path, loaded: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "basicConfig", lambda **options: None)  # pytest has handlers of its own
    namespace: dict[str, object] = {}
    printed = []
    for block in BLOCKS:
        exec(compile(block, "docs/python.md", "exec"), namespace)
        printed.append(capsys.readouterr().out)
    first = printed[0].splitlines()
    assert first[0].startswith(f"failed: {home}/videos/broken.mp4 ")
    assert first[1].startswith(f"{home}/videos/film.mp4 ")
    assert [line.split()[0] for line in first[2:]][-2:] == ["siren", "train"]
    assert printed[2].splitlines()[0] == "0 indexed, 2 unchanged"
    assert printed[3].splitlines()[-1] == "True"
    assert "True siren_alone.wav ['siren']" in printed[5].splitlines()
    assert {path.suffix for path in home.glob("clips/*")} >= {".mp4"}
    assert len(list(home.glob("siren.*"))) == 1
    assert "expected" in printed[-1]
    assert "none.mp4: no such file" in printed[-1]


@pytest.fixture(autouse=True)
def log_level() -> None:
    """The last block sets the level of the logger, which other tests read."""
    logging.getLogger("pesearch").setLevel(logging.NOTSET)
