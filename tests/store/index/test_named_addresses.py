"""A library that names a Milvus the user never named gets no connection and no token, and is searched all the same."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pesearch.errors import VectorServerError
from pesearch.settings import config_folder
from pesearch.store.catalogue.connection import transaction
from pesearch.store.catalogue.mutations import raise_generation, set_vector_backend
from pesearch.store.catalogue.vector_backend import TOKEN_VARIABLE, MilvusAddress
from pesearch.store.index.maintenance import RefreshFailed
from pesearch.store.index.milvus.collection import IndexKind
from pesearch.store.index.milvus.manifest import Manifest, SpaceOnMilvus
from pesearch.store.index.milvus.named_addresses import ensure_named, is_named, remember, token_for
from pesearch.store.index.milvus.sync import milvus_state
from pesearch.store.library import Library, open_library
from tests.store.contents import encoded, queries
from tests.store.policies import ask_milvus

SERVER = MilvusAddress("https://vectors.example:19530")


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server that must not be contacted."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("token", ["", "user:secret", "https://vectors.example user:secret"])
def test_a_library_cannot_name_a_server(
    library: Library, listener: socket.socket, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """Even one whose manifest claims that the server has all rows."""
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    ask_milvus(monkeypatch)
    with library.writer() as writer:
        writer.add([encoded(f"/{number}", f"content {number}") for number in range(3)])
    found = [library.search(space.name, queries(space), 1) for space in library.spaces]
    milvus = MilvusAddress(f"http://127.0.0.1:{listener.getsockname()[1]}")
    with transaction(library.folder) as connection:
        set_vector_backend(connection, milvus)
        raise_generation(connection)
    foreign = open_library(library.folder)
    snapshot = foreign._now().snapshot
    for space in foreign.spaces:
        layout = snapshot.vectors[space.name].layout()
        claimed = Manifest(IndexKind.FLAT, layout, layout.file_ids[:0])
        SpaceOnMilvus(foreign.folder, snapshot.library_id, space, milvus).write_manifest(claimed)

    assert [foreign.search(space.name, queries(space), 1) for space in foreign.spaces] == found
    policy = str(foreign.status().policies[foreign.spaces[0].name])
    assert policy.endswith(f"not on {milvus}: `pesearch index --vectors {milvus}` allows it")
    with foreign.writer() as writer:
        failed = [step for step in writer.maintain() if isinstance(step, RefreshFailed)]
        assert {step.reason for step in failed} == {
            f"This library names {milvus}, which you have not: `pesearch index --vectors {milvus}` allows it, "
            "`pesearch index --vectors faiss` searches without it"
        }
        with pytest.raises(VectorServerError, match="which you have not"):
            milvus_state(foreign.folder, snapshot)
        writer.set_vector_backend(None)


def test_named_addresses_are_remembered_in_a_private_file() -> None:
    for _ in range(2):
        remember(SERVER)
        remember(MilvusAddress("/home/me/vectors.db"))
    (file,) = config_folder().iterdir()
    assert file.read_text() == f"{SERVER.uri}\n/home/me/vectors.db\n"
    assert [path.stat().st_mode & 0o777 for path in (file, file.parent)] == [0o600, 0o700]
    ensure_named(SERVER)
    assert is_named(MilvusAddress("https://VECTORS.example"))
    for other in ("http://vectors.example:19530", "https://vectors.example:19531", "https://example", "/home/me/v.db"):
        assert not is_named(MilvusAddress(other))


def test_a_file_of_others_names_nothing() -> None:
    remember(SERVER)
    (file,) = config_folder().iterdir()
    file.chmod(0o620)
    with pytest.raises(VectorServerError, match="others can change it"):
        is_named(SERVER)
    if os.geteuid() == 0:
        file.chmod(0o600)
        os.chown(file, 65534, 65534)
        with pytest.raises(VectorServerError, match="belongs to another user"):
            is_named(SERVER)


def test_a_token_goes_to_its_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "https://vectors.example:19530 user:one http://127.0.0.1:9 two")
    assert is_named(SERVER)
    assert [token_for(MilvusAddress(uri)) for uri in (SERVER.uri, "https://vectors.example", "http://127.0.0.1:9")] == [
        "user:one", "user:one", "two",
    ]  # fmt: skip
    remember(MilvusAddress("http://vectors.example:19530"))
    assert token_for(MilvusAddress("http://vectors.example:19530")) == ""


@pytest.mark.parametrize("value", ["user:one two", "https://host one https://other", "https://host one two three"])
def test_a_malformed_token_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, value)
    with pytest.raises(VectorServerError, match=TOKEN_VARIABLE) as error:
        is_named(SERVER)
    assert "one" not in str(error.value)


@pytest.mark.parametrize(
    ("uri", "warns"),
    [
        ("http://vectors.example:19530", True), ("http://192.168.1.5", True), ("https://vectors.example", False),
        ("http://127.0.0.1:19530", False), ("http://localhost:19530", False), ("http://[::1]:19530", False),
    ],
)  # fmt: skip
def test_an_unencrypted_token_is_warned_about(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, uri: str, warns: bool
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "user:secret")
    with caplog.at_level(logging.WARNING):
        assert token_for(MilvusAddress(uri)) == "user:secret"
    assert ["unencrypted" in line for line in caplog.messages] == [True] * warns
    assert "secret" not in caplog.text
