"""Garbage, silence, other versions and other users on the socket: the server goes on answering, the client gives up."""

import os
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from pesearch.search.server import client, server, wire
from pesearch.search.server.client import NotServed, ask_server
from pesearch.search.server.messages import to_bytes
from tests.search.server.page import REQUEST, echo
from tests.search.server.raw_socket import connected, impostor, is_closed_silently


def is_answered(folder: Path) -> bool:
    return ask_server(folder, REQUEST, "auto").result() == echo(folder, REQUEST)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 9,
        b"\0" * 200,
        wire._HEADER.pack(wire._VERSION, 2**63),
        wire._HEADER.pack(wire._VERSION, 5) + b"{]}{[",
        wire._HEADER.pack(wire._VERSION, 2) + b"{}",
        wire._HEADER.pack(wire._VERSION, 99) + b"{}",
        b"",
    ],
    ids=["http", "zeros", "too long", "not JSON", "not a query", "truncated", "empty"],
)
def test_garbage_closes_its_connection_only(served: Path, data: bytes) -> None:
    with connected(served) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        assert is_closed_silently(connection)
    assert is_answered(served)


def test_a_silent_client_is_dropped_at_the_deadline(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CLIENT_SECONDS", 0.1)
    with connected(served) as silent:
        assert is_closed_silently(silent)


def test_the_deadline_is_for_the_whole_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte restarts no clock: a client cannot hold a thread by sending one from time to time."""
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(wire._HEADER.pack(wire._VERSION, 50))
        monkeypatch.setattr(wire, "_MAX_RECEIVE_BYTES", 4)
        with pytest.raises(TimeoutError, match="incomplete"):
            wire.receive(ours, 100, 5.0)
        assert next(clock) < 10


def test_clients_beyond_the_limit_are_refused_at_once(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silent clients do not keep another one waiting; the one that exceeds MAX_CLIENTS is closed without a wait."""
    monkeypatch.setattr(server, "MAX_CLIENTS", 4)
    monkeypatch.setattr(server, "CLIENT_SECONDS", 60.0)
    with ExitStack() as stack:
        silent = [stack.enter_context(connected(served)) for _ in range(3)]
        assert is_answered(served)
        wait_for_threads(count=1 + 3)  # the client that was answered no longer counts
        silent.append(stack.enter_context(connected(served)))
        one_too_many = stack.enter_context(connected(served))
        one_too_many.settimeout(10)
        assert is_closed_silently(one_too_many)
        for connection in silent:
            connection.setblocking(False)
            with pytest.raises(BlockingIOError):
                connection.recv(1)


def wait_for_threads(count: int) -> None:
    """Waits until the server has this many threads: one that accepts, and one for each client."""
    deadline = time.monotonic() + 30
    while sum(thread.name == "pesearch-server" for thread in threading.enumerate()) != count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_limit_of_clients() -> None:
    assert server.MAX_CLIENTS == 32


def test_clients_that_disconnect_do_no_harm(served: Path) -> None:
    query = to_bytes(client._to_query(REQUEST, "auto"))
    for _ in range(3):
        with connected(served) as connection:
            wire.send(connection, query, 5)
    assert is_answered(served)


def test_a_client_of_another_version_receives_ours(served: Path) -> None:
    other = wire._VERSION.replace(b"pesearch ", b"pesearch 9")[:32]
    with connected(served) as connection:
        connection.sendall(wire._HEADER.pack(other, 2) + b"{}")
        version, length = wire._HEADER.unpack(wire._receive_exactly(connection, wire._HEADER.size, 1e9))
        assert (version, length) == (wire._VERSION, 0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (wire._HEADER.pack(b"pesearch 9.9 1".ljust(32, b"\0"), 0), "another version"),
        (wire._HEADER.pack(wire._VERSION, 100) + b"{", "no answer"),
        (wire._HEADER.pack(wire._VERSION, 2) + b"[]", "no answer"),
        (wire._HEADER.pack(wire._VERSION, 2) + b"{}", "no answer"),
        (b"HTTP/1.1 400 Bad Request\r\n" * 9, "no answer"),
        (b"", "no answer"),
    ],
    ids=["version", "truncated", "not an object", "empty object", "http", "nothing"],
)
def test_a_client_reports_an_invalid_reply(runtime: Path, folder: Path, data: bytes, reason: str) -> None:
    def talk(connection: socket.socket) -> None:
        wire.receive(connection, wire.MAX_QUERY_BYTES, 5)
        connection.sendall(data)

    with impostor(folder, talk), pytest.raises(NotServed, match=reason):
        ask_server(folder, REQUEST, "auto")


def test_a_client_gives_up_at_the_deadline(runtime: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "REPLY_SECONDS", 0.1)
    has_given_up = threading.Event()
    with impostor(folder, lambda _: print(has_given_up.wait(30))):
        with pytest.raises(NotServed, match="did not answer"):
            ask_server(folder, REQUEST, "auto")
        has_given_up.set()


def test_an_unknown_error_is_an_invalid_reply(runtime: Path, folder: Path) -> None:
    reply = b'{"error": {"name": "KeyboardInterrupt", "arguments": []}}'
    server_of_errors = impostor(folder, lambda connection: wire.send(connection, reply, 5))
    with server_of_errors, pytest.raises(NotServed, match="no answer"):
        ask_server(folder, REQUEST, "auto")


@pytest.mark.parametrize("side", [wire, client, server])
def test_another_user_is_refused(served: Path, side: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only root could be another user here, so what is known of the peer is changed instead."""
    if side is wire:
        with connected(served) as connection:
            assert wire.is_same_user(connection)
            monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
            assert not wire.is_same_user(connection)
        return
    monkeypatch.setattr(side, "is_same_user", lambda _: False)
    with pytest.raises(NotServed):
        ask_server(served, REQUEST, "auto")
