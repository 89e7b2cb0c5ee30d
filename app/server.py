"""The web server: Streamlit's own, with routes for media, behind a guard."""

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

from starlette.middleware import Middleware
from streamlit.starlette import App

from pesearch.app.access import Access, ensure_free
from pesearch.app.browser_launch import opened_in_browser
from pesearch.app.guard import Guard
from pesearch.app.http_protocol import use_bounded_protocol
from pesearch.app.open_files import raise_file_limit
from pesearch.app.routes import media_routes
from pesearch.app.server_state import has_library, models, run_search, set_read_only
from pesearch.app.shutdown import exit_after_grace
from pesearch.app.upload_limit import MAX_FILE_MB, UploadLimit
from pesearch.errors import LibraryNotFound
from pesearch.interrupts import INTERRUPTED_LINE
from pesearch.search.server.server import serve_queries


def serve(folder: Path, access: Access, port: int, open_browser: bool) -> None:
    """Serve the page for the library in `folder` until interrupted. Without a library the page offers to create it.

    Raises:
        LibraryDamaged, LibraryTooNew: the library in that folder cannot be used.
        LibraryNotFound: there is none, and viewers cannot create it.
        ServingError: the port is in use, or the address does not belong to this machine.
    """
    os.environ["PESEARCH_LIBRARY"] = str(folder)
    set_read_only(access.is_read_only)
    if not has_library():
        if access.is_read_only:
            raise LibraryNotFound(f"There is no library in {folder} to view: index files first")
        sys.stderr.write(f"pesearch: there is no library in {folder} yet: create it on the page\n")
    ensure_free(access, port)
    raise_file_limit()
    use_bounded_protocol()

    @asynccontextmanager
    async def lifespan(_: App) -> AsyncIterator[dict[str, Any]]:
        _install_signal_handlers()
        url = access.page_url(port)
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

    page_app(access, lifespan).run(
        config={
            "server.address": access.address,
            "server.port": port,
            "server.baseUrlPath": "",
            "server.headless": True,
            "server.fileWatcherType": "none",
            "server.enableCORS": True,  # in Streamlit this means: refuse other origins
            "server.enableXsrfProtection": True,
            "server.enableStaticServing": False,
            "server.maxUploadSize": MAX_FILE_MB,
            "server.enableAgentApi": False,
            "browser.gatherUsageStats": False,
            "runner.postScriptGC": False,  # takes 0.3 s, in which the browser's Back button can be ignored
            "client.toolbarMode": "minimal",
            "logger.hideWelcomeMessage": True,  # the message asks an external server for this machine's address
        }
    )


def page_app(access: Access, lifespan: Callable[[App], AbstractAsyncContextManager[dict[str, Any]]] | None) -> App:
    """The application: Streamlit's page and the media routes, all behind the guard."""
    page = Path(__file__).with_name("main.py")
    middleware = [Middleware(Guard, access), Middleware(UploadLimit)]
    return App(page, routes=media_routes(), middleware=middleware, lifespan=lifespan)


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
