"""An empty library of two spaces, real and as its twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from pesearch.store.library import Library, create_library
from tests.store.contents import SPACES
from tests.store.policies import compress_without_loss
from tests.store.twin import Twin


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return create_library(tmp_path / "library", "made-up", SPACES)


@pytest.fixture(params=["on disk", "compressed", "twin"])
def either(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library | Twin:
    """The same tests hold for all: what the twin does is what the library must do, however it is searched."""
    if request.param == "twin":
        return Twin()
    if request.param == "compressed":
        compress_without_loss(monkeypatch)
    return create_library(tmp_path / "library", "made-up", SPACES)
