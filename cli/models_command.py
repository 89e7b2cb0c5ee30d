"""`pesearch models`: the model sets."""

from __future__ import annotations

from typing import Annotated

import typer

models_app = typer.Typer(help="The model sets: list them, fetch one.", invoke_without_command=True)


@models_app.callback()
def models(context: typer.Context) -> None:
    """List the model sets: size, licence, and whether they are on this machine."""
    if context.invoked_subcommand is None:
        from pesearch.cli.status_command import print_models

        print_models()


@models_app.command("pull")
def pull_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model set (see: pesearch models).")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before downloading.")] = False,
) -> None:
    """Fetch a model set from the Hugging Face hub; its size is shown first."""
    from pesearch.cli.status_command import pull_models

    raise typer.Exit(pull_models(name, yes))
