"""`pesearch models`: list the model sets, and download one."""

from __future__ import annotations

from typing import Annotated

import typer

from pesearch.cli.exit_codes import NOTHING_FOUND

models_app = typer.Typer(invoke_without_command=True)


@models_app.callback()
def models_command(context: typer.Context) -> None:
    """List or download model sets.

    The list shows size, licence, and whether a set is installed.

    \b
    Examples:
      pesearch models
      pesearch models pull small
    """
    if context.invoked_subcommand is None:
        print_models()


@models_app.command("pull")
def pull_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model set; `pesearch models` lists them.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Download without asking first.")] = False,
) -> None:
    """Download a model set from the Hugging Face hub. Its size is shown first.

    Exit codes: 0 the set is installed, 1 declined, 2 error: no room, no connection, no terminal and no --yes.

    \b
    Example:
      pesearch models pull small
    """
    from pesearch.cli.model_download import download_models

    raise typer.Exit(0 if download_models(name, is_confirmed=yes) else NOTHING_FOUND)


def print_models() -> None:
    """Print a table of the model sets."""
    from pesearch.cli.render import format_size, table_lines
    from pesearch.encoders.hub import is_installed
    from pesearch.encoders.model_registry import MODEL_SETS

    rows = []
    for name, description in MODEL_SETS.items():
        licences = sorted({source.licence for source in description.sources})
        rows.append(
            (
                name,
                format_size(description.size_bytes),
                ", ".join(licences),
                "yes" if is_installed(description) else "no",
                description.summary,
            )
        )
    for line in table_lines(("SET", "SIZE", "LICENCE", "INSTALLED", "USE"), rows):
        print(line)
