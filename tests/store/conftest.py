"""Empty libraries of two spaces, on disk and as a twin in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.milvus.client import close, server_version
from pesearch.store.index.milvus.named_addresses import remember
from pesearch.store.library import Library, create_library
from tests.store.contents import SPACES
from tests.store.policies import ask_milvus, compress_without_loss, on_milvus
from tests.store.templates import copy_library
from tests.store.twin import Twin


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an empty library, to be copied."""
    return create_library(tmp_path_factory.mktemp("template") / "library", "made-up", SPACES).folder


@pytest.fixture
def library(request: pytest.FixtureRequest, empty_library: Path, tmp_path: Path) -> Library:
    """An empty library. One that may be put on a shared Milvus is created, because it needs an id of its own."""
    if "milvus" in request.fixturenames:
        return create_library(tmp_path / "library", "made-up", SPACES)
    return copy_library(empty_library, tmp_path / "library")


@pytest.fixture(scope="session")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusAddress]:
    """A Milvus Lite, shared by libraries that each have their own collections. It stays open, as in the web server."""
    address = MilvusAddress(str(tmp_path_factory.mktemp("milvus") / "lite.db"))
    remember(address)
    server_version(address)
    yield address
    close(address)


@pytest.fixture(params=["on disk", "compressed", "on milvus", "twin"])
def either(
    request: pytest.FixtureRequest, tmp_path: Path, empty_library: Path, monkeypatch: pytest.MonkeyPatch
) -> Library | Twin:
    """A library by each way to search it, and the twin that it must equal."""
    if request.param == "twin":
        return Twin()
    if request.param == "on milvus":
        ask_milvus(monkeypatch)
        library = create_library(tmp_path / "library", "made-up", SPACES)
        on_milvus(library, request.getfixturevalue("milvus"))
        return library
    if request.param == "compressed":
        compress_without_loss(monkeypatch)
    return copy_library(empty_library, tmp_path / "library")
