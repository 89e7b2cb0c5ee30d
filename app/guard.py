"""Who is let in, asked before anything else of every request and every websocket, Streamlit's own included.

Refused are: a host name that is not ours (a foreign name may be made to point to this machine), what another site's
page asks for (https://fetch.spec.whatwg.org/#http-origin, https://www.w3.org/TR/fetch-metadata), and, where a token is
set, whoever does not show it. What goes out says that no other site may embed or read it, and that our page loads
nothing from anywhere else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pesearch.app.access import Access

TOKEN = "token"
"""The name of the token in an address."""


class Guard:
    """Stands before the whole application."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access
        self._headers = _headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answer = self._answer(HTTPConnection(scope))

        async def send_guarded(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await (answer or self._app)(scope, receive, send_guarded)

    def _answer(self, request: HTTPConnection) -> Response | None:
        """What is said to a request that does not get through."""
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or not self._access.allows_host(hosts[0]):
            return PlainTextResponse("This is not the address of this page.", 400)
        if _is_foreign(request, hosts[0]):
            return PlainTextResponse("Asked for by a page of another site.", 403)
        return None if self._access.token is None else self._asked_for_token(request, self._access.token)

    def _asked_for_token(self, request: HTTPConnection, token: str) -> Response | None:
        """None for who has shown the token. A browser that shows it in an address gets it as a cookie instead."""
        cookie = cookie_name(request.url.port)
        shown = request.query_params.get(TOKEN)
        if shown is None:
            kept = request.cookies.get(cookie, "")
            return None if _same(kept, cookie_value(token)) else _unknown()
        if not _same(shown, token):
            return _unknown()
        if request.scope["type"] == "websocket" or "text/html" not in request.headers.get("accept", ""):
            return None
        rest = urlencode([pair for pair in request.query_params.multi_items() if pair[0] != TOKEN])
        path = "/" + request.url.path.lstrip("/\\")
        answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303, {"Cache-Control": "no-store"})
        answer.set_cookie(cookie, cookie_value(token), httponly=True, samesite="strict")
        return answer


def cookie_name(port: int | None) -> str:
    """Cookies are shared by all ports of a host: each server has its own."""
    return f"pesearch_{port or 80}"


def cookie_value(token: str) -> str:
    """What a browser keeps in place of the token, so that no other server on this host can read the token itself."""
    return hmac.new(token.encode(), b"pesearch cookie", hashlib.sha256).hexdigest()


def _same(shown: str, wanted: str) -> bool:
    """Compared in a time that tells nothing of where they differ."""
    return hmac.compare_digest(shown.encode(errors="surrogateescape"), wanted.encode())


def _unknown() -> Response:
    return PlainTextResponse("Open this page by the address with its token, which the program printed.", 401)


def _is_foreign(request: HTTPConnection, host: str) -> bool:
    """Whether a page of another origin asks: a link to us may be followed, nothing else."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return True
    if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return False
    follows_link = request.headers.get("sec-fetch-mode") == "navigate"
    return not (follows_link and request.headers.get("sec-fetch-dest") == "document" and _only_reads(request))


def _only_reads(request: HTTPConnection) -> bool:
    return request.scope["type"] == "http" and request.scope["method"] in ("GET", "HEAD")


def _headers() -> dict[str, str]:
    """What every answer says to a browser."""
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
    """The scripts in Streamlit's own page, as a policy names them: any other that gets into it is not run."""
    page = Path(streamlit.__file__).with_name("static") / "index.html"
    scripts = re.findall(rb"<script>(.*?)</script>", page.read_bytes(), re.DOTALL)
    return [f"'sha256-{b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts]
