"""`pesearch app`: the browser interface."""

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


def app_command(
    context: typer.Context,
    library: LibraryOption = None,
    port: PortOption = 8501,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the default browser.")
    ] = True,
    listen: ListenOption = "127.0.0.1",
    token: TokenOption = None,
    token_file: TokenFileOption = None,
    no_token: Annotated[
        bool,
        typer.Option("--no-token", help="No token: every user of this machine can view the media, and index files."),
    ] = False,
    read_only: Annotated[
        bool,
        typer.Option("--read-only", help="For viewers: they search and play, but cannot index or name paths."),
    ] = False,
    host: HostOption = None,
) -> None:
    """Search in the browser: see, play and collect moments. Listens on 127.0.0.1 only, unless --listen is given.

    Opens the page in the browser and prints its address, which ends with a random token. Whoever has the token can
    view all media of the library.

    While it runs, `pesearch query` uses its loaded models and answers faster, and programs can use its API
    (`pesearch serve --help`). Press Ctrl-C to stop it.

    \b
    Examples:
      pesearch app
      pesearch app --listen 192.168.1.5 --no-browser --read-only
      PESEARCH_TOKEN=... pesearch app --no-browser
    """
    from pesearch.app.server import serve

    access = read_access(context, listen, host, token, token_file, no_token=no_token, read_only=read_only)
    serve(library_folder(library), access, port, browser)
