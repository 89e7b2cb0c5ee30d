"""What every server of a library does before and while it runs: checks, limits, signals, and the warm query socket."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from pesearch.app.access import Access, ensure_free
from pesearch.app.browser_launch import opened_in_browser
from pesearch.app.http_protocol import use_bounded_protocol
from pesearch.app.open_files import raise_file_limit
from pesearch.app.server_state import has_library, models, run_search, set_read_only
from pesearch.app.shutdown import exit_after_grace
from pesearch.errors import LibraryNotFound
from pesearch.interrupts import INTERRUPTED_LINE
from pesearch.search.server.server import serve_queries

Lifespan = Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]
"""What runs around an application, in its event loop."""


def prepare_serving(folder: Path, access: Access, port: int, *, may_create: bool) -> None:
    """Choose the library in `folder` for this process, and check that it and the port can be used.

    `may_create`: owners can create the library in the application.
    Raises LibraryDamaged, LibraryTooNew, LibraryNotFound, ServingError.
    """
    os.environ["PESEARCH_LIBRARY"] = str(folder)
    set_read_only(access.is_read_only)
    if not has_library():
        if access.is_read_only or not may_create:
            raise LibraryNotFound(f"There is no library in {folder} to view: index files first")
        sys.stderr.write(f"pesearch: there is no library in {folder} yet: create it on the page\n")
    ensure_free(access, port)
    raise_file_limit()
    use_bounded_protocol()


def serving(folder: Path, access: Access, url: str, *, open_browser: bool) -> Lifespan:
    """The lifespan of a server: signals end it, its address is on stderr, and `pesearch query` uses its models."""

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
        _install_signal_handlers()
        sys.stderr.write(f"pesearch: serving {url} (stop with Ctrl-C)\n")
        if access.token is None:
            sys.stderr.write(f"pesearch: {_without_token(access)}\n")
        with (
            opened_in_browser(url) if open_browser else nullcontext(),
            serve_queries(folder, models, run_search) as problem,
        ):
            if problem:
                sys.stderr.write(f"pesearch: {problem}\n")
            yield {}

    return lifespan


def _without_token(access: Access) -> str:
    """The warning for --no-token."""
    powers = (
        "view all media of this library" if access.is_read_only else "view all media of this library, and index files"
    )
    return f"no token: every user of this machine can {powers} with your permissions"


def _install_signal_handlers() -> None:
    """End at once on SIGINT and SIGTERM: uvicorn would wait for open downloads."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)


def _exit(number: int, _: FrameType | None) -> NoReturn:
    logging.disable()  # every cancelled task would be logged
    line = INTERRUPTED_LINE if number == signal.SIGINT else ""
    exit_after_grace(128 + number, line)  # running searches would be waited for
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)
