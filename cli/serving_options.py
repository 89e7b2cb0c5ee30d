"""Options of the commands that serve a library: the address they listen on, and who may use it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pesearch.app.access import Access

PortOption = Annotated[int, typer.Option("--port", min=1024, max=65535, help="TCP port to listen on.")]
ListenOption = Annotated[
    str, typer.Option("--listen", metavar="ADDRESS", help="Address to listen on, for other machines. No encryption.")
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="PESEARCH_TOKEN",
        help="Secret that clients must present. Default: a random one. Safer in $PESEARCH_TOKEN or a file.",
    ),
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option("--token-file", metavar="FILE", help="Read the token from a file that only you can read."),
]
HostOption = Annotated[
    list[str] | None, typer.Option("--host", help="Host name under which clients may reach --listen; repeatable.")
]


def read_access(
    context: typer.Context,
    listen: str,
    hosts: list[str] | None,
    token: str | None,
    token_file: Path | None,
    *,
    no_token: bool,
    read_only: bool,
) -> Access:
    """The access that the options of a command ask for. Raises ServingError; warns of a token that others can read."""
    from pesearch.app.access import access_for, choose_token

    access = access_for(listen, hosts or (), choose_token(token, token_file, no_token), read_only)
    source = context.get_parameter_source("token")
    if source is not None and source.name == "COMMANDLINE":
        warning = "other users can read --token in the process list: use --token-file or PESEARCH_TOKEN"
        print(f"pesearch: {warning}", file=sys.stderr)
    return access
