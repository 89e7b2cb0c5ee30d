"""`pesearch models`: list the model sets, and download one."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pesearch.cli.exit_codes import ERROR

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

    \b
    Example:
      pesearch models pull small
    """
    raise typer.Exit(pull_models(name, yes))


def print_models() -> None:
    """Print a table of the model sets."""
    from pesearch.cli.render import format_size, table_lines
    from pesearch.encoders.hub import status
    from pesearch.encoders.model_registry import MODEL_SETS

    rows = []
    for name, description in MODEL_SETS.items():
        licences = sorted({source.licence for source in description.sources})
        is_installed = all(state.complete for state in status(description))
        rows.append(
            (
                name,
                format_size(description.size_bytes),
                ", ".join(licences),
                "yes" if is_installed else "no",
                description.summary,
            )
        )
    for line in table_lines(("SET", "SIZE", "LICENCE", "INSTALLED", "USE"), rows):
        print(line)


def pull_models(name: str, yes: bool) -> int:
    """Download the missing files of a model set, once confirmed. Returns the exit code: ERROR when the user
    declines."""
    from pesearch.cli.render import format_size
    from pesearch.encoders.hub import pull, status
    from pesearch.encoders.model_registry import describe

    description = describe(name)
    missing = [state.source for state in status(description) if not state.complete]
    if not missing:
        print(f"{name} is already installed", file=sys.stderr)
        return 0
    for source in missing:
        print(f"{source.repo}  {format_size(source.size_bytes)}  {source.licence}", file=sys.stderr)
    size_bytes = sum(source.size_bytes for source in missing)
    if not yes and not typer.confirm(f"Download {format_size(size_bytes)}?", err=True):
        return ERROR
    pull(description, announce=lambda source: print(f"downloading {source.repo}", file=sys.stderr))
    return 0
