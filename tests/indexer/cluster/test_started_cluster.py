"""Which running cluster `--ray auto` believes in: only one of this user, whoever wrote its address down."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pesearch.indexer.cluster import ray_internals
from pesearch.indexer.cluster.ray_internals import address_file, listener_owners, require_token, started_cluster

FREE = "192.0.2.1:6379"
"""An address of another machine (TEST-NET-1)."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the address, private as is its folder."""
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    file = address_file()
    file.parent.mkdir(mode=0o755)
    file.write_text(f"{FREE}\n")
    file.chmod(0o644)
    return file


@pytest.fixture
def here() -> Iterator[str]:
    """The address of a process of this user."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_private_file_names_a_cluster(file: Path) -> None:
    assert started_cluster() == FREE
    file.unlink()
    assert started_cluster() is None


@as_root
def test_the_word_of_another_user_does_not_count(file: Path, here: str) -> None:
    file.write_text(here)
    os.chown(file, 65534, 65534)
    assert started_cluster() is None
    os.chown(file, 0, 0)
    assert started_cluster() == here
    os.chown(file.parent, 65534, 65534)
    assert started_cluster() is None


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_file_that_others_can_write_to_does_not_count(file: Path, here: str, mode: int) -> None:
    file.write_text(here)
    file.chmod(mode)
    assert started_cluster() is None


def test_links_are_not_followed(file: Path, tmp_path: Path) -> None:
    moved = file.rename(tmp_path / "elsewhere")
    file.symlink_to(moved)
    assert started_cluster() is None
    file.unlink()
    moved.rename(file)
    folder = file.parent.rename(tmp_path / "folder")
    file.parent.symlink_to(folder)
    assert started_cluster() is None


def test_in_an_open_folder_only_a_process_of_this_user_counts(file: Path, here: str) -> None:
    """Ray opens its folder to everybody, so others can put an older file of this user back."""
    file.parent.chmod(0o777)
    assert started_cluster() is None
    file.write_text(here)
    assert started_cluster() == here


def test_an_address_at_which_another_user_listens_does_not_count(
    file: Path, here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cluster has ended, and somebody else has taken its port."""
    file.write_text(here)
    monkeypatch.setattr(ray_internals, "listener_owners", lambda address: {os.geteuid(), 65534})
    assert started_cluster() is None


@pytest.mark.parametrize(("family", "bound"), [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")])
def test_listeners_are_found_at_all_their_addresses(family: socket.AddressFamily, bound: str) -> None:
    with socket.create_server((bound, 0), family=family) as server:
        port = server.getsockname()[1]
        assert listener_owners(f"127.0.0.1:{port}") == {os.geteuid()}
        assert listener_owners(f"localhost:{port}") == {os.geteuid()}
    assert listener_owners(f"127.0.0.1:{port}") == set()
    assert listener_owners("nonsense") == set()


def test_a_token_is_random_and_one_of_the_user_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = set()
    for _ in range(2):
        monkeypatch.setenv("RAY_AUTH_MODE", "token")
        monkeypatch.setenv("RAY_AUTH_TOKEN", "")
        monkeypatch.delenv("RAY_AUTH_TOKEN")
        require_token()
        tokens.add(os.environ["RAY_AUTH_TOKEN"])
    assert {len(token) for token in tokens} == {64}
    assert len(tokens) == 2
    require_token()
    assert os.environ["RAY_AUTH_TOKEN"] in tokens
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    require_token()
    assert "RAY_AUTH_TOKEN" not in os.environ
