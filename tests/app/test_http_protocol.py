"""Connections that send no complete request keep nobody out: uvicorn with the bounds of the page, at small limits."""

from __future__ import annotations

import contextlib
import logging
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from pesearch.app import http_protocol
from pesearch.app.http_protocol import BoundedProtocol, max_waiting, use_bounded_protocol
from pesearch.app.open_files import raise_file_limit

PATIENCE_SECONDS = 60

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server with at most 8 waiting connections, started as Streamlit starts it."""
    monkeypatch.setattr(http_protocol, "MAX_WAITING", 8)
    monkeypatch.setitem(uvicorn.config.HTTP_PROTOCOLS, "auto", "")
    use_bounded_protocol()
    server = uvicorn.Server(uvicorn.Config(PlainTextResponse("answer"), port=0, lifespan="off", log_level="critical"))
    listener = server.config.bind_socket()
    listener.listen(128)
    monkeypatch.setattr(server, "capture_signals", contextlib.nullcontext)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(PATIENCE_SECONDS)
    assert not BoundedProtocol.waiting


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)


def is_closed(connection: socket.socket) -> bool:
    """Waits until the server closes a connection."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_many_half_requests_keep_nobody_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "REQUEST_SECONDS", 100 * PATIENCE_SECONDS)
    with contextlib.ExitStack() as stack:
        half = [stack.enter_context(closing(connect(port))) for _ in range(50)]
        for connection in half[::2]:
            connection.sendall(REQUEST[:20])
        browser = stack.enter_context(closing(connect(port)))
        browser.sendall(REQUEST)
        assert browser.recv(1000).startswith(b"HTTP/1.1 200 OK")
        assert all(is_closed(connection) for connection in half[:40])


def test_a_request_that_never_ends_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "REQUEST_SECONDS", 0.3)
    with closing(connect(port)) as silent, closing(connect(port)) as slow:
        for _ in range(1000):
            with contextlib.suppress(ConnectionError):
                slow.sendall(b"x")
            time.sleep(0.01)
            if not any(protocol for protocol in tuple(BoundedProtocol.waiting)):
                break
        assert is_closed(silent)
        assert is_closed(slow)


def test_a_connection_is_used_again(port: int) -> None:
    with closing(connect(port)) as browser:
        for _ in range(3):
            browser.sendall(REQUEST)
            received = b""
            while not received.endswith(b"answer"):
                received += browser.recv(1000)


def test_too_many_open_files_are_no_flood_of_tracebacks(port: int, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("asyncio")
    logger.error("socket.accept() out of system resource\nsocket: ...")
    logger.error("another error")
    assert caplog.messages == ["another error"]


def test_few_of_few_open_files_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, expected in ((1 << 20, 256), (200, 50), (2, 1), (resource.RLIM_INFINITY, 256)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=limit: (soft, soft))
        assert max_waiting() == expected


def test_the_limit_of_open_files_is_raised() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[0], 200), before[1]))
        raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
