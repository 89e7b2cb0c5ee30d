"""The server of the browser page: Streamlit's own, with routes for media, and a guard before all of it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any, NoReturn

from starlette.middleware import Middleware
from streamlit.starlette import App

from pesearch.app.access import Access, ensure_free
from pesearch.app.guard import Guard
from pesearch.app.routes import media_routes
from pesearch.app.server_state import answer, has_library, models
from pesearch.app.shutdown import end_within_seconds
from pesearch.search.server.server import serve_queries


def serve(folder: Path, access: Access, port: int, open_browser: bool) -> None:
    """Serve the page for the library in a folder until interrupted; where there is none yet, the page makes one.

    Raises:
        LibraryDamaged, LibraryTooNew: the library in that folder cannot be used.
        ServingError: the port is in use, or the address is not of this machine.
    """
    os.environ["PESEARCH_LIBRARY"] = str(folder)
    if not has_library():
        sys.stderr.write(f"pesearch: there is no library in {folder} yet: the page makes it\n")
    ensure_free(access, port)

    @asynccontextmanager
    async def running(_: App) -> AsyncIterator[dict[str, Any]]:
        _end_at_once()
        address = access.page_address(port)
        sys.stderr.write(f"pesearch: the page is at {address} (Ctrl-C ends it)\n")
        if open_browser and _has_screen():
            Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        with serve_queries(folder, models, answer) as trouble:
            if trouble:
                sys.stderr.write(f"pesearch: {trouble}\n")
            yield {}

    page = Path(__file__).with_name("main.py")
    App(page, routes=media_routes(), middleware=[Middleware(Guard, access)], lifespan=running).run(
        config={
            "server.address": access.address,
            "server.port": port,
            "server.baseUrlPath": "",
            "server.headless": True,
            "server.fileWatcherType": "none",
            "server.enableCORS": True,  # means: other origins are refused
            "server.enableXsrfProtection": True,
            "server.enableStaticServing": False,
            "server.enableAgentApi": False,
            "browser.gatherUsageStats": False,
            "runner.postScriptGC": False,  # takes 0.3 s, in which the browser's Back can be lost
            "client.toolbarMode": "minimal",
            "logger.hideWelcomeMessage": True,  # it asks a server outside for this machine's address
        }
    )


def _end_at_once() -> None:
    """Ctrl-C and the wish of the system end the server as they end any program: who still watches a file is cut off."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> NoReturn:
    logging.disable()  # each task that is cut off would be told of
    end_within_seconds(128 + number)  # threads that still search would be waited for
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def _has_screen() -> bool:
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
