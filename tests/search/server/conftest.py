"""A process that serves the sample library, on sockets of its own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.store.library import Library
from tests.search.server.page import serving


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for sockets, empty."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture
def served(runtime: Path, sample_library: Library, starter: ModelSet) -> Iterator[Library]:
    """The sample library, whose questions this process answers."""
    with serving(sample_library, starter) as problem:
        assert problem is None
        yield sample_library
