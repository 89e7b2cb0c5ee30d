"""A limit on the files that browsers upload to this server at a time: Streamlit holds them in memory."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.stats import CacheStat

from pesearch.app.uploads import MAX_UPLOAD_BYTES

UPLOAD_PATH = "/_stcore/upload_file/"

MAX_FILE_MB = 200
"""Streamlit refuses a larger file."""


def held_bytes() -> int:
    """The size of the uploads that Streamlit holds for its page sessions."""
    stats = runtime.get_instance().uploaded_file_mgr.get_stats()
    return sum(stat.byte_length for family in stats.values() for stat in family if isinstance(stat, CacheStat))


class UploadLimit:
    """ASGI middleware that refuses uploads beyond MAX_UPLOAD_BYTES for all sessions together."""

    def __init__(self, app: ASGIApp, held: Callable[[], int] = held_bytes) -> None:
        self._app = app
        self._held_bytes = held
        self._arriving_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with status 413."""
        if scope["type"] != "http" or scope["method"] != "PUT" or not scope["path"].startswith(UPLOAD_PATH):
            await self._app(scope, receive, send)
            return
        size_bytes = _body_bytes(Headers(scope=scope))
        if self._held_bytes() + self._arriving_bytes + size_bytes > MAX_UPLOAD_BYTES:
            await PlainTextResponse("Too many files are uploaded to this server.", 413)(scope, receive, send)
            return
        self._arriving_bytes += size_bytes
        try:
            await self._app(scope, receive, send)
        finally:
            self._arriving_bytes -= size_bytes


def _body_bytes(headers: Headers) -> int:
    """The size that a request states; the largest that is accepted where it states none."""
    stated = headers.get("content-length", "")
    return int(stated) if stated.isdecimal() and len(stated) < 12 else MAX_FILE_MB << 20
