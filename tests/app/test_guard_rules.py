"""The rules of the guard without a server."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from pesearch.app.access import Access, access_for
from pesearch.app.guard import Guard, cookie_name, cookie_value
from tests.app.asgi import OPENED, PORT, respond, scope_of
from tests.app.server_process import Answer

TOKEN = "a-token-that-nobody-guesses"

Status = Callable[..., int]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Accepts everything."""
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).accept()
    else:
        await PlainTextResponse("content")(scope, receive, send)


@pytest.fixture
def status(run_async: Callable[[Coroutine[Any, Any, Answer]], Answer]) -> Status:
    def ask(access: Access, kind: str, url: str, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return run_async(respond(Guard(application, access), scope_of(kind, url, named))).status

    return ask


@pytest.mark.parametrize(("kind", "passed"), [("http", 200), ("websocket", OPENED)])
def test_every_kind_of_request_needs_the_token(status: Status, kind: str, passed: int) -> None:
    access = access_for("127.0.0.1", (), TOKEN)
    assert status(access, kind, "/") == 401
    assert status(access, kind, f"/?token={TOKEN}x") == 401
    assert status(access, kind, "/", cookie=f"{cookie_name(PORT)}={TOKEN}") == 401
    assert status(access, kind, f"/?token={TOKEN}") == passed
    assert status(access, kind, "/", cookie=f"{cookie_name(PORT)}={cookie_value(TOKEN)}") == passed
    assert status(Access(), kind, "/") == passed


@pytest.mark.parametrize(("kind", "passed"), [("http", 200), ("websocket", OPENED)])
def test_every_kind_of_request_needs_a_known_host_and_our_origin(status: Status, kind: str, passed: int) -> None:
    assert status(Access(), kind, "/", host="localhost:8501", origin="http://localhost:8501") == passed
    assert status(Access(), kind, "/", host="example.org:8501") == 400
    assert status(Access(), kind, "/", origin="http://example.org") == 403
    assert status(Access(), kind, "/", sec_fetch_site="cross-site", sec_fetch_mode="no-cors") == 403
