"""The web server of the API alone, without the page."""

from __future__ import annotations

from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from pesearch.app.access import Access
from pesearch.app.guard import Guard
from pesearch.app.http_api.routes import api_routes
from pesearch.app.server_state import preload_models
from pesearch.app.startup import Lifespan, prepare_serving, serving

FIRST_PATH = "/api/status"
"""The path in the address that is printed."""


def serve_api(folder: Path, access: Access, port: int) -> None:
    """Serve the API for the library in `folder` until interrupted. Models load at once.

    Raises LibraryDamaged, LibraryTooNew, LibraryNotFound: there is no library that can be used; ServingError: the port
    is in use, or the address does not belong to this machine.
    """
    prepare_serving(folder, access, port, may_create=False)
    preload_models()
    lifespan = serving(folder, access, access.page_url(port, FIRST_PATH), open_browser=False)
    uvicorn.run(api_app(access, lifespan), host=access.address, port=port, log_level="warning", access_log=False)


def api_app(access: Access, lifespan: Lifespan | None) -> Starlette:
    """The application: the API behind the guard."""
    return Starlette(routes=api_routes(), middleware=[Middleware(Guard, access)], lifespan=lifespan)
