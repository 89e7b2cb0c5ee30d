"""Opened libraries for the tests of the Python interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import pesearch
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer import opening as indexer_opening
from pesearch.search import opening as search_opening
from pesearch.store import library as store


@pytest.fixture(scope="session")
def samples(sample_library: store.Library) -> Iterator[pesearch.Library]:
    """The library of all sample media. Do not close it."""
    with pesearch.open(sample_library.folder, device="cpu") as library:
        yield library


@pytest.fixture
def loaded(starter: ModelSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries that are opened get models that may be loaded already."""
    for module in (indexer_opening, search_opening):
        monkeypatch.setattr(module, "open_model_set", lambda name, device: starter)


@pytest.fixture
def new_library(loaded: None, tmp_path: Path) -> Iterator[pesearch.Library]:
    """A library that does not exist yet."""
    with pesearch.open(tmp_path / "library", model="starter", device="cpu") as library:
        yield library
