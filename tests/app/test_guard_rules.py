"""The rules of the guard without a server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from streamlit.runtime import Runtime

from pesearch.app.access import Access, access_for
from pesearch.app.guard import Guard, cookie_name
from pesearch.app.server import page_app
from pesearch.app.sessions import MAX_IDLE_SECONDS, MAX_SESSIONS, Sessions
from tests.app.asgi import OPENED, PORT, REFUSED, respond, scope_of
from tests.app.server_process import Answer

TOKEN = "a-token-that-nobody-guesses"

Status = Callable[..., int]
Get = Callable[..., Answer]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Accepts everything."""
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).accept()
    else:
        await PlainTextResponse("content")(scope, receive, send)


@pytest.fixture
def status(run_async: Callable[[Coroutine[Any, Any, Answer]], Answer]) -> Status:
    """The status of a request to a new server."""

    def ask(access: Access, kind: str, url: str, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return run_async(respond(Guard(application, access), scope_of(kind, url, named))).status

    return ask


@pytest.fixture
def get(run_async: Callable[[Coroutine[Any, Any, Answer]], Answer]) -> Get:
    """The answer of one server with a token."""
    guard = Guard(application, access_for("127.0.0.1", (), TOKEN))

    def ask(url: str, kind: str = "http", **headers: str) -> Answer:
        return run_async(respond(guard, scope_of(kind, url, {k.replace("_", "-"): v for k, v in headers.items()})))

    return ask


@pytest.mark.parametrize(("kind", "refused", "passed"), [("http", 401, 200), ("websocket", REFUSED, OPENED)])
def test_every_kind_of_request_needs_the_token(status: Status, kind: str, refused: int, passed: int) -> None:
    access = access_for("127.0.0.1", (), TOKEN)
    assert status(access, kind, "/") == refused
    assert status(access, kind, f"/?token={TOKEN}x") == refused
    assert status(access, kind, "/", cookie=f"{cookie_name(PORT)}={TOKEN}") == refused
    assert status(access, kind, f"/?token={TOKEN}") == passed
    assert status(Access(), kind, "/") == passed


def log_in(get: Get) -> str:
    """The cookie of a new session."""
    return get(f"/?token={TOKEN}", accept="text/html").headers["set-cookie"].partition(";")[0]


@pytest.mark.parametrize(("kind", "refused", "passed"), [("http", 401, 200), ("websocket", REFUSED, OPENED)])
def test_a_login_gives_a_session_of_this_server_only(
    get: Get, status: Status, kind: str, refused: int, passed: int
) -> None:
    first, second = log_in(get), log_in(get)
    assert first != second
    assert [get("/", kind, cookie=cookie).status for cookie in (first, second)] == [passed, passed]
    assert get("/", kind, cookie=first[:-1]).status == refused
    assert status(access_for("127.0.0.1", (), TOKEN), kind, "/", cookie=first) == refused


def test_the_token_becomes_a_cookie_and_leaves_the_url(get: Get) -> None:
    shown = get(f"/search?text=a+b%26c%22&token={TOKEN}&k=2", accept="text/html,*/*")
    assert shown.status == 200
    assert b'content="0;url=/search?text=a+b%26c%22&amp;k=2"' in shown.body
    cookie = shown.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie
    assert TOKEN.encode() not in shown.body
    assert shown.headers["cache-control"] == "no-store"
    elsewhere = get(f"//example.org/?token={TOKEN}", accept="text/html")
    assert b"url=/example.org/" in elsewhere.body


def test_a_page_without_the_token_asks_for_it(get: Get) -> None:
    page = get("/search?text=%22%3E%3Cscript%3E", accept="text/html")
    assert (page.status, page.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert b'name="text" value="&quot;&gt;&lt;script&gt;"' in page.body
    assert b'name="token"' in page.body
    assert b"<script" not in page.body
    assert b"You followed a link" not in page.body
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert b'<a href="/search?text=x">' in get("/search?text=x", accept="text/html", **link).body
    assert b"The token is wrong." in get("/?token=another-token-than-ours", accept="text/html").body
    assert get("/clip/1").headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(("kind", "refused", "passed"), [("http", 401, 200), ("websocket", REFUSED, OPENED)])
def test_programs_send_the_token_in_a_header(get: Get, kind: str, refused: int, passed: int) -> None:
    assert get("/clip/1", kind, authorization=f"Bearer {TOKEN}").status == passed
    assert get("/clip/1", kind, authorization=f"bearer  {TOKEN}").status == passed
    for wrong in (f"Bearer {TOKEN}x", "Bearer ", f"Basic {TOKEN}", TOKEN):
        assert get("/clip/1", kind, authorization=wrong).status == refused
    assert get(f"/clip/1?token={TOKEN}", kind, authorization="Bearer wrong").status == refused
    foreign = {"host": "example.org", "authorization": f"Bearer {TOKEN}"}
    assert get("/clip/1", kind, **foreign).status == (400 if kind == "http" else REFUSED)
    assert get("/clip/1", kind, origin="http://example.org", authorization=f"Bearer {TOKEN}").status == 403


def test_requests_to_the_api_are_refused_in_json(get: Get) -> None:
    missing = get("/api/search?q=a")
    assert (missing.status, missing.headers["www-authenticate"]) == (401, "Bearer")
    foreign = get(f"/api/search?q=a&token={TOKEN}", host="example.org")
    cross_site = get(f"/api/search?q=a&token={TOKEN}", origin="http://example.org")
    assert (foreign.status, cross_site.status) == (400, 403)
    for answer in (missing, foreign, cross_site):
        assert answer.headers["content-type"] == "application/json"
        assert list(json.loads(answer.body)) == ["error"]


def test_sessions_end_after_a_week_without_requests_and_beyond_a_number() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    used, unused = sessions.create(), sessions.create()
    now[0] = MAX_IDLE_SECONDS
    assert sessions.renew(used)
    now[0] += MAX_IDLE_SECONDS
    assert (sessions.renew(used), sessions.renew(unused)) == (True, False)
    for _ in range(MAX_SESSIONS):
        sessions.create()
    assert not sessions.renew(used)
    assert not sessions.renew("")


def test_no_route_answers_without_the_token(
    run_async: Callable[[Coroutine[Any, Any, Answer]], Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application as it is served, but not started: what got past the guard would fail."""
    monkeypatch.setattr(Runtime, "_instance", None)
    app = page_app(access_for("127.0.0.1", (), TOKEN), None)
    assert run_async(respond(app, scope_of("http", "/", {}))).status == 401  # builds the routes
    routes = {getattr(route, "path", "/") for route in app._starlette_app.routes}
    paths = {re.sub(r"{[^}]*}", "1", route) for route in routes} | {"/search", "/index.html"}
    assert {"/_stcore/health", "/_stcore/stream", "/clip/1", "/clips/1.zip", "/api/search", "/api/1"} < paths
    for path in paths:
        assert run_async(respond(app, scope_of("websocket", path, {}))).status == REFUSED
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            assert run_async(respond(app, scope_of("http", path, {}) | {"method": method})).status == 401


@pytest.mark.parametrize(("kind", "passed"), [("http", 200), ("websocket", OPENED)])
def test_every_kind_of_request_needs_a_known_host_and_our_origin(status: Status, kind: str, passed: int) -> None:
    assert status(Access(), kind, "/", host="localhost:8501", origin="http://localhost:8501") == passed
    assert status(Access(), kind, "/", host="example.org:8501") == (400 if kind == "http" else REFUSED)
    assert status(Access(), kind, "/", origin="http://example.org") == 403
    assert status(Access(), kind, "/", origin="http://[") == 403
    assert status(Access(), kind, "/", sec_fetch_site="cross-site", sec_fetch_mode="no-cors") == 403
