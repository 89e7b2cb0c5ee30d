"""The server as on macOS, substituted: only LOCAL_PEERCRED is answered here instead of by the system."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pesearch.search.server import linux_sockets, macos_sockets, unix_sockets
from pesearch.search.server.client import NotServed, ask_server
from pesearch.search.server.macos_sockets import path_in_private_folder, peer_user_id, stop_accepting
from tests.search.server.page import REQUEST, echo, echoing


class Connection:
    """A socket of macOS, whose peer is user 501 in the groups 20 and 12."""

    def __init__(self, version: int = 0) -> None:
        self._credentials = struct.pack("=IIhxx16I", version, 501, 2, 20, 12, *[0] * 14)

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option, size) == (0, 1, 76)  # SOL_LOCAL, LOCAL_PEERCRED, sizeof(struct xucred)
        return self._credentials


@pytest.fixture
def macos(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "platform", "darwin")
        patched.setattr(macos_sockets, "peer_user_id", _user_by_linux)
        patched.setattr(linux_sockets, "path_in_open_folder", lambda *_: pytest.fail("used"))
        yield


def _user_by_linux(connection: socket.socket) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("3i", credentials)[1])


def test_the_user_at_the_other_end() -> None:
    assert peer_user_id(Connection()) == 501  # type: ignore[arg-type]  # all that is used of a socket
    with pytest.raises(OSError, match="unknown version 1"):
        peer_user_id(Connection(version=1))  # type: ignore[arg-type]  # as above


@pytest.mark.usefixtures("macos")
def test_a_page_answers_and_stops(runtime: Path, folder: Path) -> None:
    with echoing(folder) as problem:
        assert problem is None
        assert ask_server(folder, REQUEST, "auto").result() == echo(folder, REQUEST)
        with echoing(folder) as second:
            assert second is not None and "another page" in second
    with pytest.raises(NotServed, match="no page is running"):
        ask_server(folder, REQUEST, "auto")


@pytest.mark.usefixtures("macos")
def test_a_path_that_is_too_long_is_a_problem_of_the_page(
    runtime: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = runtime / ("x" * 100)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with echoing(folder) as problem:
        assert problem is not None and "\n" not in problem


def test_a_waiting_accept_returns(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path_in_private_folder(tmp_path, "socket"))
        listener.listen()
        stop_accepting(listener)
        listener.settimeout(5.0)
        listener.accept()[0].close()


def test_without_unix_sockets_nothing_is_served_and_nobody_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert not unix_sockets.has_unix_sockets()
    with echoing(folder) as problem:
        assert problem is None
        with pytest.raises(NotServed, match="answers no queries of other processes on this system"):
            ask_server(folder, REQUEST, "auto")
