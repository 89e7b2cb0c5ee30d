"""`pesearch app`: the browser interface."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pesearch.cli.options import LibraryOption, library_folder


def app_command(
    context: typer.Context,
    library: LibraryOption = None,
    port: Annotated[int, typer.Option("--port", min=1024, max=65535, help="TCP port to listen on.")] = 8501,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the default browser.")
    ] = True,
    listen: Annotated[
        str,
        typer.Option("--listen", metavar="ADDRESS", help="Address to listen on, for other machines. No encryption."),
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            envvar="PESEARCH_TOKEN",
            help="Secret that browsers must present. Default: a random one. Safer in $PESEARCH_TOKEN or a file.",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Read the token from a file that only you can read."),
    ] = None,
    no_token: Annotated[
        bool,
        typer.Option("--no-token", help="No token: every user of this machine can view the media, and index files."),
    ] = False,
    read_only: Annotated[
        bool,
        typer.Option("--read-only", help="For viewers: they search and play, but cannot index or name paths."),
    ] = False,
    host: Annotated[
        list[str] | None, typer.Option("--host", help="Host name under which browsers may reach --listen; repeatable.")
    ] = None,
) -> None:
    """Search in the browser: see, play and collect moments. Listens on 127.0.0.1 only, unless --listen is given.

    Opens the page in the browser and prints its address, which ends with a random token. Whoever has the token can
    view all media of the library.

    While it runs, `pesearch query` uses its loaded models and answers faster. Press Ctrl-C to stop it.

    \b
    Examples:
      pesearch app
      pesearch app --listen 192.168.1.5 --no-browser --read-only
      PESEARCH_TOKEN=... pesearch app --no-browser
    """
    from pesearch.app.access import access_for, choose_token
    from pesearch.app.server import serve

    access = access_for(listen, host or (), choose_token(token, token_file, no_token), read_only)
    source = context.get_parameter_source("token")
    if source is not None and source.name == "COMMANDLINE":
        warning = "other users can read --token in the process list: use --token-file or PESEARCH_TOKEN"
        print(f"pesearch: {warning}", file=sys.stderr)
    serve(library_folder(library), access, port, browser)
