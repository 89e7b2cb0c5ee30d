"""Rubbish, silence, other versions and other users: nobody can do harm, and a question is answered all the same."""

import os
import socket
import threading
from pathlib import Path

import pytest

from pesearch.search.server import client, server, wire
from pesearch.search.server.client import NotServed, ask_server
from pesearch.search.server.messages import to_bytes
from pesearch.store.library import Library
from tests.search.server.talking import QUESTION, connected, is_ended, pretending


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 9,
        b"\0" * 200,
        wire._HEADER.pack(wire._VERSION, 2**63),
        wire._HEADER.pack(wire._VERSION, 5) + b"{]}{[",
        wire._HEADER.pack(wire._VERSION, 2) + b"{}",
        wire._HEADER.pack(wire._VERSION, 99) + b"{}",
        b"",
    ],
    ids=["http", "zeros", "too long", "no json", "no question", "cut", "nothing"],
)
def test_rubbish_ends_the_talk_and_nothing_else(served: Library, said: bytes) -> None:
    with connected(served) as connection:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        assert is_ended(connection)
    assert ask_server(served.folder, QUESTION, "auto").result().matches


def test_who_says_nothing_is_left_after_a_while(served: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CLIENT_SECONDS", 0.2)
    with connected(served) as silent:
        assert is_ended(silent)


def test_who_says_nothing_keeps_nobody_else_waiting(served: Library) -> None:
    silent = [connected(served) for _ in range(server.MAX_CLIENTS - 1)]
    assert ask_server(served.folder, QUESTION, "auto").result().matches
    silent.append(connected(served))
    with connected(served) as one_too_many:
        assert is_ended(one_too_many)
    for connection in silent:
        connection.close()


def test_a_client_that_leaves_is_not_missed(served: Library) -> None:
    asking = to_bytes(client._to_query(QUESTION, "auto"))
    for _ in range(3):
        with connected(served) as connection:
            wire.send(connection, asking, 5)
    assert ask_server(served.folder, QUESTION, "auto").result().matches


def test_who_is_of_another_version_is_told_ours(served: Library) -> None:
    other = wire._VERSION.replace(b"pesearch ", b"pesearch 9")[:32]
    with connected(served) as connection:
        connection.sendall(wire._HEADER.pack(other, 2) + b"{}")
        stamp, length = wire._HEADER.unpack(wire._receive_exactly(connection, wire._HEADER.size, 1e9))
        assert (stamp, length) == (wire._VERSION, 0)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (wire._HEADER.pack(b"pesearch 9.9 1".ljust(32, b"\0"), 0), "another version"),
        (wire._HEADER.pack(wire._VERSION, 100) + b"{", "no answer"),
        (wire._HEADER.pack(wire._VERSION, 2) + b"[]", "no answer"),
        (wire._HEADER.pack(wire._VERSION, 2) + b"{}", "no answer"),
        (b"HTTP/1.1 400 Bad Request\r\n" * 9, "no answer"),
        (b"", "no answer"),
    ],
    ids=["version", "cut", "no object", "empty", "http", "nothing"],
)
def test_a_page_that_gives_no_answer(runtime: Path, sample_library: Library, said: bytes, why: str) -> None:
    def talk(connection: socket.socket) -> None:
        wire.receive(connection, wire.MAX_QUERY_BYTES, 5)
        connection.sendall(said)

    with pretending(sample_library, talk), pytest.raises(NotServed, match=why):
        ask_server(sample_library.folder, QUESTION, "auto")


def test_a_page_that_does_not_answer_in_time(
    runtime: Path, sample_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REPLY_SECONDS", 0.2)
    gone = threading.Event()
    with pretending(sample_library, lambda _: print(gone.wait(30))):
        with pytest.raises(NotServed, match="did not answer"):
            ask_server(sample_library.folder, QUESTION, "auto")
        gone.set()


def test_an_error_that_nobody_knows_is_no_answer(runtime: Path, sample_library: Library) -> None:
    reply = b'{"error": {"name": "KeyboardInterrupt", "arguments": []}}'
    answering = pretending(sample_library, lambda connection: wire.send(connection, reply, 5))
    with answering, pytest.raises(NotServed, match="no answer"):
        ask_server(sample_library.folder, QUESTION, "auto")


@pytest.mark.parametrize("asker", [wire, client, server])
def test_another_user_is_not_answered(served: Library, asker: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody but root could be another user here: what the kernel says of the other side is changed instead."""
    if asker is wire:
        with connected(served) as connection:
            assert wire.is_same_user(connection)
            monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
            assert not wire.is_same_user(connection)
        return
    monkeypatch.setattr(asker, "is_same_user", lambda _: False)
    with pytest.raises(NotServed):
        ask_server(served.folder, QUESTION, "auto")
