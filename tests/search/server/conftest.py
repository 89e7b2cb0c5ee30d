"""Servers on sockets of their own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.search.server.page import echoing


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for sockets, empty."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a library, as far as the server needs one."""
    path = tmp_path / "library"
    path.mkdir()
    return path


@pytest.fixture
def served(runtime: Path, folder: Path) -> Iterator[Path]:
    """The folder of a library for which this process answers queries by echoing them."""
    with echoing(folder) as problem:
        assert problem is None
        yield folder
