"""`pesearch serve`: the HTTP API without the page."""

from __future__ import annotations

from typing import Annotated

import typer

from pesearch.cli.options import LibraryOption, library_folder
from pesearch.cli.serving_options import (
    HostOption,
    ListenOption,
    PortOption,
    TokenFileOption,
    TokenOption,
    read_access,
)


def serve_command(
    context: typer.Context,
    library: LibraryOption = None,
    port: PortOption = 8502,
    listen: ListenOption = "127.0.0.1",
    token: TokenOption = None,
    token_file: TokenFileOption = None,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="No token: every user of this machine can view the media.")
    ] = False,
    host: HostOption = None,
) -> None:
    """Serve a library to programs, as JSON over HTTP.

    They search, list files, get pictures and clips of moments, and locate sounds. `pesearch app` has the same API,
    which changes nothing in the library; GET /api/openapi.json describes it. Prints an address with the token. Whoever
    has the token can view all media of the library.

    While it runs, `pesearch query` uses its loaded models and answers faster. Press Ctrl-C to stop it.

    \b
    Examples:
      pesearch serve
      PESEARCH_TOKEN=... pesearch serve --port 8600
      pesearch serve --listen 192.168.1.5 --token-file ~/.pesearch-token
    """
    from pesearch.app.api_server import serve_api

    access = read_access(context, listen, host, token, token_file, no_token=no_token, read_only=True)
    serve_api(library_folder(library), access, port)
