"""The server of the browser page: Streamlit's own, plus one route that serves media by byte ranges.

A file is named by its id in the library, never by a path, so nothing outside the library can be had. The server listens
on 127.0.0.1 only.
"""

from __future__ import annotations

import mimetypes
import os
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from streamlit.starlette import App

from pesearch.errors import LibraryError
from pesearch.store.library import open_library

ADDRESS = "127.0.0.1"
MEDIA_ROUTE = "/clip"


def serve(library: Path, port: int, open_browser: bool) -> None:
    """Serve the page for one library until interrupted.

    Raises:
        LibraryNotFound: there is no library in that folder.
    """
    open_library(library)
    os.environ["PESEARCH_LIBRARY"] = str(library)
    app = App(
        Path(__file__).with_name("main.py"),
        routes=[Route(MEDIA_ROUTE + "/{file_id:int}", clip)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[ADDRESS, "localhost"])],
    )
    app.run(
        config={
            "server.address": ADDRESS,
            "server.port": port,
            "server.headless": not open_browser,
            "server.fileWatcherType": "none",
            "browser.gatherUsageStats": False,
            "client.toolbarMode": "minimal",
        }
    )


def clip(request: Request) -> Response:
    """One media file of the library, whole or the byte ranges asked for."""
    try:
        path = open_library(Path(os.environ["PESEARCH_LIBRARY"])).file(request.path_params["file_id"]).path
    except LibraryError as error:
        raise HTTPException(404, str(error)) from error
    if not path.is_file():
        raise HTTPException(404, "This file is not at its place now.")
    return FileResponse(path, media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream")
