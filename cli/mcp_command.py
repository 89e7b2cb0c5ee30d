"""`pesearch mcp`: tools for agents, over stdin and stdout."""

from __future__ import annotations

from typing import Annotated

import typer

from pesearch.cli.options import LibraryOption, library_folder


def mcp_command(
    library: LibraryOption = None,
    allow_index: Annotated[
        bool, typer.Option("--allow-index", help="Let agents add files that you can read to the library.")
    ] = False,
) -> None:
    """Serve a library to an agent, as tools over stdin and stdout (MCP).

    Started by the program of the agent, not by hand. The tools search, show pictures of moments,
    locate sounds, export, and describe the library. They change nothing, unless --allow-index is
    given. Needs the SDK of the Model Context Protocol: `pip install 'pesearch[mcp]'`.

    \b
    Examples:
      pesearch mcp
      pesearch mcp --library /mnt/archive/library --allow-index
    """
    from pesearch.errors import ServingError

    try:
        from pesearch.app.mcp.server import serve_agent
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "mcp":
            raise
        raise ServingError("the MCP SDK is not installed: run pip install 'pesearch[mcp]'") from error
    serve_agent(library_folder(library), may_index=allow_index)
