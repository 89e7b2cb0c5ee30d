"""`pesearch app`: the browser interface."""

from __future__ import annotations

from typing import Annotated

import typer

from pesearch.cli.options import LibraryOption, library_folder


def app_command(
    library: LibraryOption = None,
    port: Annotated[int, typer.Option("--port", min=1024, max=65535, help="TCP port to listen on.")] = 8501,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the default browser.")
    ] = True,
    listen: Annotated[
        str,
        typer.Option(
            "--listen",
            metavar="ADDRESS",
            help="Address to listen on. Other machines need --token; no encryption.",
        ),
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            "--token", envvar="PESEARCH_TOKEN", help="Secret that browsers must present. Safer in $PESEARCH_TOKEN."
        ),
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option("--host", help="Host name under which browsers may reach --listen; repeatable.")
    ] = None,
) -> None:
    """Search in the browser: see, play and collect moments. Listens on 127.0.0.1 only, unless --listen is given.

    While it runs, `pesearch query` uses its loaded models and answers faster. Press Ctrl-C to stop it.

    \b
    Examples:
      pesearch app
      PESEARCH_TOKEN=... pesearch app --listen 192.168.1.5 --no-browser
    """
    from pesearch.app.access import access_for
    from pesearch.app.server import serve

    serve(library_folder(library), access_for(listen, host or (), token), port, browser)
