"""Where libraries and settings are by default, on each system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pesearch.settings import config_folder, default_library


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("PESEARCH_LIBRARY", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "data", "config"),
    [
        ("linux", ".local/share", ".config"),
        ("darwin", "Library/Application Support", "Library/Application Support"),
        ("win32", "AppData/Local", "AppData/Local"),
    ],
)
def test_the_folders_of_each_system(
    home: Path, monkeypatch: pytest.MonkeyPatch, platform: str, data: str, config: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert default_library() == home / data / "pesearch" / "library"
    assert config_folder() == home / config / "pesearch"


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_environment_decides_first(home: Path, monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("LOCALAPPDATA", str(home / "local"))
    if platform == "win32":
        assert default_library() == home / "local" / "pesearch" / "library"
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    assert default_library() == home / "data" / "pesearch" / "library"
    assert config_folder() == home / "config" / "pesearch"
    monkeypatch.setenv("PESEARCH_LIBRARY", "~/mine")
    assert default_library() == home / "mine"
