"""Access control in front of every request and websocket, Streamlit's own included.

It refuses foreign host names (DNS rebinding), requests made by pages of other sites
(https://fetch.spec.whatwg.org/#http-origin, https://www.w3.org/TR/fetch-metadata), and, if there is a token, requests
with neither it nor the cookie of a session that it opened. Refused requests to the API get JSON. Response headers
forbid other sites to embed or read the page, and the page to load anything from elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from pesearch.app.access import TOKEN_PARAMETER, Access
from pesearch.app.json_errors import error_response, is_api
from pesearch.app.login_pages import opening_page, token_page
from pesearch.app.sessions import Sessions


class Guard:
    """ASGI middleware in front of the whole application."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access
        self._sessions = Sessions()
        self._headers = _headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it; every response gets the security headers."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal: ASGIApp | None = self._refusal(HTTPConnection(scope))
        if refusal is not None and scope["type"] == "websocket":
            refusal = WebSocketClose(WS_1008_POLICY_VIOLATION)  # the server answers 403; no browser shows a response

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, request: HTTPConnection) -> Response | None:
        """The response to a refused request; None if it is allowed."""
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or not self._access.allows_host(hosts[0]):
            return _refused(
                request,
                "Unknown host name: open the address that pesearch app printed, or allow this name with --host.",
                400,
            )
        if _is_cross_site(request, hosts[0]):
            return _refused(request, "Requests from pages of other sites are refused.", 403)
        return None if self._access.token is None else self._check_token(request, self._access.token)

    def _check_token(self, request: HTTPConnection, token: str) -> Response | None:
        """None when the request carries the token, in a header or its URL, or the cookie of a session.

        A page opened with the token in its URL starts a session, and goes on to the URL without the token.
        """
        if (bearer := _bearer_token(request)) is not None:
            return None if _are_equal(bearer, token) else _unauthorized(request)
        cookie = cookie_name(request.url.port)
        given = request.query_params.get(TOKEN_PARAMETER)
        if given is None:
            return None if self._sessions.renew(request.cookies.get(cookie, "")) else _unauthorized(request)
        if not _are_equal(given, token):
            return _unauthorized(request)
        if not _wants_page(request):
            return None
        rest = urlencode(_other_parameters(request))
        response = opening_page(_path(request) + (f"?{rest}" if rest else ""))
        response.set_cookie(cookie, self._sessions.create(), httponly=True, samesite="strict")
        return response


def cookie_name(port: int | None) -> str:
    """A name for each port, because all ports of a host share their cookies."""
    return f"pesearch_{port or 80}"


def _are_equal(given: str, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), expected.encode())


def _bearer_token(request: HTTPConnection) -> str | None:
    """The token of the header `Authorization: Bearer TOKEN` (RFC 6750), as programs send it."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else None


def _refused(request: HTTPConnection, line: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """One line: JSON for the API, else plain text."""
    if is_api(request):
        return error_response(line, status, headers)
    return PlainTextResponse(line, status, headers)


def _unauthorized(request: HTTPConnection) -> Response:
    """Status 401: a page that asks for the token, or one line for everything that is not a page."""
    if not _wants_page(request):
        line = "Token missing or wrong: open the address that pesearch app printed."
        if is_api(request):
            line = "Token missing or wrong: send it as Authorization: Bearer TOKEN."
        return _refused(request, line, 401, {"WWW-Authenticate": "Bearer"})
    is_wrong = TOKEN_PARAMETER in request.query_params
    is_from_other_site = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    return token_page(
        _path(request), _other_parameters(request), TOKEN_PARAMETER,
        is_wrong=is_wrong, is_from_other_site=is_from_other_site,
    )  # fmt: skip


def _wants_page(request: HTTPConnection) -> bool:
    return request.scope["type"] == "http" and "text/html" in request.headers.get("accept", "")


def _path(request: HTTPConnection) -> str:
    """The path of a request, which never leads to another host."""
    return "/" + request.url.path.lstrip("/\\")


def _other_parameters(request: HTTPConnection) -> list[tuple[str, str]]:
    """The query string without the token."""
    return [pair for pair in request.query_params.multi_items() if pair[0] != TOKEN_PARAMETER]


def _is_cross_site(request: HTTPConnection, host: str) -> bool:
    """Whether a page of another origin made the request. Following a link to this server is allowed, nothing else."""
    origin = request.headers.get("origin")
    if origin is not None and _host_of(origin) != host.lower():
        return True
    if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return False
    is_navigation = request.headers.get("sec-fetch-mode") == "navigate"
    return not (is_navigation and request.headers.get("sec-fetch-dest") == "document" and _is_read_only(request))


def _host_of(origin: str) -> str | None:
    """Host and port of an origin in lower case; None if it is malformed."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _is_read_only(request: HTTPConnection) -> bool:
    return request.scope["type"] == "http" and request.scope["method"] in ("GET", "HEAD")


def _headers() -> dict[str, str]:
    """The security headers of every response."""
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", "blob:", *_inline_scripts()]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def _inline_scripts() -> list[str]:
    """The inline scripts of Streamlit's index.html as CSP hashes: browsers run no other inline script."""
    spec = find_spec("streamlit")  # importing it takes a second, which `pesearch serve` does without
    assert spec is not None and spec.origin is not None
    page = Path(spec.origin).with_name("static") / "index.html"
    scripts = re.findall(rb"<script>(.*?)</script>", page.read_bytes(), re.DOTALL)
    return [f"'sha256-{b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts]
