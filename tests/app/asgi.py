"""Requests to an ASGI application without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Scope

from tests.app.server_process import Answer

PORT = 8501

OPENED = 101
"""The status of a websocket that was accepted."""

REFUSED = 403
"""The status with which a server answers when an application closes a websocket that it has not accepted."""


def scope_of(kind: str, url: str, headers: Mapping[str, str]) -> Scope:
    """The scope of a request for a path with an optional query string; the host is 127.0.0.1."""
    path, _, query = url.partition("?")
    named = {"host": f"127.0.0.1:{PORT}"} | {name.lower(): value for name, value in headers.items()}
    return {
        "type": kind, "scheme": "ws" if kind == "websocket" else "http", "method": "GET", "http_version": "1.1",
        "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "server": ("127.0.0.1", PORT), "client": ("127.0.0.1", 50_000), "extensions": {"websocket.http.response": {}},
    }  # fmt: skip


async def respond(app: ASGIApp, scope: Scope) -> Answer:
    """The response of an application. A websocket that is accepted is closed at once."""
    messages: list[Message] = []
    received = [{"type": "websocket.connect"}] if scope["type"] == "websocket" else [{"type": "http.request"}]

    async def receive() -> Message:
        if received:
            return received.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, send)
    first = messages[0]
    if first["type"] == "websocket.accept":
        return Answer(OPENED, b"", {})
    if first["type"] == "websocket.close":
        return Answer(REFUSED, b"", {})
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return Answer(first["status"], body, {name.decode().lower(): value.decode() for name, value in first["headers"]})
