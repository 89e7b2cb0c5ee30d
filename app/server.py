"""The web server of the page: Streamlit's own, with the API and routes for media, behind a guard."""

from __future__ import annotations

from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

from pesearch.app.access import Access
from pesearch.app.guard import Guard
from pesearch.app.http_api.routes import api_routes
from pesearch.app.routes import media_routes
from pesearch.app.startup import Lifespan, prepare_serving, serving
from pesearch.app.upload_limit import MAX_FILE_MB, UploadLimit


def serve(folder: Path, access: Access, port: int, open_browser: bool) -> None:
    """Serve the page for the library in `folder` until interrupted. Without a library the page offers to create it.

    Raises:
        LibraryDamaged, LibraryTooNew: the library in that folder cannot be used.
        LibraryNotFound: there is none, and viewers cannot create it.
        ServingError: the port is in use, or the address does not belong to this machine.
    """
    prepare_serving(folder, access, port, may_create=True)
    lifespan = serving(folder, access, access.page_url(port), open_browser=open_browser)
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


def page_app(access: Access, lifespan: Lifespan | None) -> App:
    """The application: Streamlit's page, the API and the media routes, all behind the guard."""
    page = Path(__file__).with_name("main.py")
    middleware = [Middleware(Guard, access), Middleware(UploadLimit)]
    return App(page, routes=[*media_routes(), *api_routes()], middleware=middleware, lifespan=lifespan)
