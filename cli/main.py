"""The command `pesearch`. Exit codes: 0 found, 1 nothing found, 2 error, 3 some files failed, 130 interrupted."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from pesearch.cli.app_command import app_command
from pesearch.cli.calibrate_command import calibrate_command
from pesearch.cli.demo_command import demo_command
from pesearch.cli.doctor_command import doctor_command
from pesearch.cli.eval_command import eval_command
from pesearch.cli.events_command import events_command
from pesearch.cli.exit_codes import Commands, end_process, exit_on_error
from pesearch.cli.export_command import export_command
from pesearch.cli.index_command import index_command
from pesearch.cli.maintenance_command import gc_command, remove_command
from pesearch.cli.mcp_command import mcp_command
from pesearch.cli.models_command import models_app
from pesearch.cli.query_command import query_command
from pesearch.cli.serve_command import serve_command
from pesearch.cli.standard_streams import ignore_stderr_errors, open_missing_streams
from pesearch.cli.status_command import status_command
from pesearch.media.pyav_libraries import restart_with_pyav_libraries

app = typer.Typer(
    name="pesearch",
    cls=Commands,
    help="Search inside your own video and audio by what is seen, heard and said. Nothing leaves this machine.",
    epilog="Try it with `pesearch demo`. Then `pesearch index ~/videos`, and `pesearch query 'siren and train'`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing rich would add half a second to --help
)
app.add_typer(models_app, name="models")
app.command("demo")(demo_command)
app.command("index")(index_command)
app.command("query")(query_command)
app.command("events")(events_command)
app.command("export")(export_command)
app.command("status")(status_command)
app.command("doctor")(doctor_command)
app.command("remove")(remove_command)
app.command("gc")(gc_command)
app.command("eval")(eval_command)
app.command("calibrate")(calibrate_command)
app.command("app")(app_command)
app.command("serve")(serve_command)
app.command("mcp")(mcp_command)


def print_version(is_requested: bool) -> None:
    """Print the version and exit, if `--version` was given."""
    if is_requested:
        from pesearch import __version__

        typer.echo(f"pesearch {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options that stand before the command."""


def main() -> NoReturn:
    """Entry point of the installed command; ends the process."""
    restart_with_pyav_libraries()
    open_missing_streams()
    ignore_stderr_errors()
    end_process(command_line)


def command_line() -> None:
    """Run the command in `sys.argv`. Always raises SystemExit, except after Ctrl-C, which ends the process."""
    encoding = "utf-8" if sys.platform == "win32" else None  # None keeps that of the locale
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding=encoding, errors="surrogateescape")  # type: ignore[union-attr]  # file names may hold any bytes
    exit_on_error(app)
