"""An empty library of two spaces, real and as its twin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.milvus.client import close, server_version
from pesearch.store.library import Library, create_library
from tests.store.contents import SPACES
from tests.store.policies import ask_milvus, compress_without_loss, on_milvus
from tests.store.twin import Twin


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return create_library(tmp_path / "library", "made-up", SPACES)


@pytest.fixture(scope="session")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusAddress]:
    """A Milvus Lite, of which each library has its own collections. It stays open, as in a server of pages."""
    pytest.importorskip("milvus_lite")  # it needs faiss-cpu, and so is not installed beside faiss-gpu
    address = MilvusAddress(str(tmp_path_factory.mktemp("milvus") / "lite.db"))
    server_version(address)
    yield address
    close(address)


@pytest.fixture(params=["on disk", "compressed", "on milvus", "twin"])
def either(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library | Twin:
    """The same tests hold for all: what the twin does is what the library must do, however it is searched."""
    if request.param == "twin":
        return Twin()
    if request.param == "compressed":
        compress_without_loss(monkeypatch)
    library = create_library(tmp_path / "library", "made-up", SPACES)
    if request.param == "on milvus":
        ask_milvus(monkeypatch)
        on_milvus(library, request.getfixturevalue("milvus"))
    return library
