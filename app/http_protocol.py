"""HTTP connections with bounds: uvicorn itself keeps one open for as long as its request is incomplete.

A connection waits for its next request for a limited time and among a limited number of others, so that connections
that send nothing, or one byte now and then, never keep a browser out. `tests/app/test_http_protocol.py` fails when
uvicorn no longer works as it is extended here (checked with uvicorn 0.54).
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import Any, ClassVar

import h11
import uvicorn.config
from uvicorn.protocols.http.h11_impl import H11Protocol

from pesearch.app.open_files import max_open_files

REQUEST_SECONDS = 10.0
"""Time limit from the connection, or from the last response, until the head of the next request is complete."""

MAX_WAITING = 256
"""Connections without a complete request at a time; beyond it the one that waits longest is closed. A browser keeps six
for each host."""

_WAITING_SHARE_OF_FILES = 4
"""With a low limit of open files, at most one in so many of them is such a connection."""


class BoundedProtocol(H11Protocol):
    """One connection. It waits from its start and after each response, until a request is complete."""

    waiting: ClassVar[OrderedDict[BoundedProtocol, asyncio.TimerHandle]] = OrderedDict()
    """The connections of this process that wait, longest first, with the timers that close them."""

    def connection_made(self, transport: Any) -> None:
        """Start to wait."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Stop waiting if the head of a request is complete. The rest of a refused request does not count."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Stop waiting: another protocol takes the connection over."""
        self._stop_waiting()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """Wait again, unless the next request has arrived already."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._wait()

    def _wait(self) -> None:
        self._stop_waiting()
        waiting = type(self).waiting
        waiting[self] = self.loop.call_later(REQUEST_SECONDS, self._abort)
        if len(waiting) > max_waiting():
            next(iter(waiting))._abort()

    def _stop_waiting(self) -> None:
        timer = type(self).waiting.pop(self, None)
        if timer is not None:
            timer.cancel()

    def _abort(self) -> None:
        self._stop_waiting()
        self.transport.abort()


def max_waiting() -> int:
    """The limit of connections that wait at a time."""
    limit = max_open_files()
    return MAX_WAITING if limit is None else min(MAX_WAITING, max(limit // _WAITING_SHARE_OF_FILES, 1))


def use_bounded_protocol() -> None:
    """Let uvicorn use it for every server that names no other protocol. Streamlit starts uvicorn without a setting for
    it, so the default is replaced."""
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{BoundedProtocol.__name__}"
    logging.getLogger("asyncio").addFilter(_is_of_use)


def _is_of_use(record: logging.LogRecord) -> bool:
    """False for what asyncio logs thousands of times in a second, with tracebacks, while too many files are open. It
    accepts connections again after that second."""
    return not record.getMessage().startswith("socket.accept() out of system resource")
