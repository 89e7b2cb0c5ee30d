"""The command `pesearch`: parse, call, print. Exit codes: 0 found, 1 nothing found, 2 error, 3 some files failed."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from pesearch.cli.exit_codes import Commands, end_process, run_to_its_end
from pesearch.cli.export_command import export
from pesearch.cli.index_command import index_command
from pesearch.cli.models_command import models_app
from pesearch.cli.options import DeviceOption, JsonOption, LibraryOption, chosen

app = typer.Typer(
    name="pesearch",
    cls=Commands,
    help="Search inside your own video and audio by what is seen, heard and said. Nothing leaves this machine.",
    epilog="Start with: pesearch index ~/videos   then: pesearch query 'siren and train'",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich would cost --help half a second
)
app.add_typer(models_app, name="models")

DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]

app.command("index")(index_command)


@app.command()
def query(
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="What is seen, heard or said.")] = None,
    audio: Annotated[
        Path | None, typer.Option("--audio", metavar="FILE", help="Find what sounds like this, and what makes it.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option("--video", metavar="FILE", help="Find what looks and sounds like this clip.")
    ] = None,
    image: Annotated[
        Path | None, typer.Option("--image", metavar="FILE", help="Find what looks like this picture.")
    ] = None,
    speech: Annotated[bool, typer.Option("--speech", help="TEXT is words that are spoken.")] = False,
    per_file: Annotated[
        int | None, typer.Option("--per-file", metavar="N", min=1, help="At most N moments of a file.")
    ] = None,
    unsure: Annotated[bool, typer.Option("--all", help="Also what is not a confident match, marked with ?.")] = False,
    no_events: Annotated[
        bool, typer.Option("--no-events", help="Do not locate the sounds that are named: quicker.")
    ] = False,
    count: Annotated[int, typer.Option("-k", min=1, max=10_000, help="How many moments.")] = 10,
    under: Annotated[Path | None, typer.Option("--in", metavar="PATH", help="Only files under this folder.")] = None,
    after: Annotated[
        datetime | None,
        typer.Option("--after", metavar="DATE", formats=DATES, help="Only files changed on or after this date."),
    ] = None,
    before: Annotated[
        datetime | None,
        typer.Option("--before", metavar="DATE", formats=DATES, help="Only files changed before this date."),
    ] = None,
    kind: Annotated[
        Literal["video", "audio", "image"] | None, typer.Option("--kind", help="Only files of this kind.")
    ] = None,
    longer: Annotated[
        str | None, typer.Option("--longer", metavar="TIME", help="Only files of at least 90s, 5m, 1h30m, 2:30.")
    ] = None,
    shorter: Annotated[
        str | None, typer.Option("--shorter", metavar="TIME", help="Only files of at most that length.")
    ] = None,
    online: Annotated[bool, typer.Option("--online", help="Only files that can be opened now.")] = False,
    library: LibraryOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a moment.")] = False,
    as_paths: Annotated[bool, typer.Option("-0", help="Print paths only, each ended by a NUL byte.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say who answered and how long it took.")] = False,
) -> None:
    """Find moments by words, a sound, a picture, a clip, or what is said.

    TEXT is plain words, or a query: heard:siren THEN seen:train WITHIN 10s, said:"mind the gap", -music, ./clip.wav
    (docs/query.md). Exit code 0: found, 1: nothing found with confidence, 2: error.

    Examples: pesearch query "siren and train"; pesearch query "mind the gap" --speech; pesearch query --audio bark.wav
    """
    from pesearch.cli.query_command import answer_question, print_answer
    from pesearch.search.query.file_filter import FileFilter, duration_seconds
    from pesearch.search.query.language.parser import parse
    from pesearch.search.query.request import SearchRequest
    from pesearch.types import MediaKind

    files = FileFilter(
        under=under, after=after and after.date(), before=before and before.date(), kind=kind and MediaKind(kind),
        at_least_seconds=duration_seconds(longer) if longer is not None else None,
        at_most_seconds=duration_seconds(shorter) if shorter is not None else None,
        online=online,
    )  # fmt: skip
    request = SearchRequest(
        text=text or "", audio=audio, video=video, image=image, speech=speech, k=count, per_file=per_file,
        locate=not no_events, files=files,
    )  # fmt: skip
    if request.text.strip() and not speech:
        parse(request.text)  # a mistake is told before any model is loaded
    answer = answer_question(chosen(library), request, device, verbose)
    print_answer(answer, unsure, as_json, as_lines, as_paths)
    raise typer.Exit(0 if answer.matches else 1)


@app.command()
def events(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A video or audio file.")],
    phrases: Annotated[list[str], typer.Argument(metavar="PHRASE...", help="Sounds to locate, each a phrase.")],
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Model set (see: pesearch models).")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=0.0, max=1.0, help="Probability a sound has to reach. Default: as measured."),
    ] = None,
    library: LibraryOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Onset and offset of named sounds in one file (exit code 1: none found).

    A file of the library is heard with the library's models, and much faster.
    """
    from pesearch.cli.query_command import locate

    raise typer.Exit(locate(file, phrases, model, threshold, chosen(library), device, as_json))


app.command()(export)


@app.command()
def status(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """What a library holds, and which files failed and why."""
    from pesearch.cli.status_command import print_status

    print_status(chosen(library), as_json)


@app.command()
def doctor(
    library: LibraryOption = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend a damaged library; says what it does.")] = False,
) -> None:
    """Check this machine and the library, all of it. Exit code 2 when something needed is missing or damaged."""
    from pesearch.cli.status_command import print_doctor, print_repair

    if repair:
        print_repair(chosen(library))
    raise typer.Exit(print_doctor(chosen(library)))


@app.command()
def remove(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files or folders to take out of the library.")
    ],
    library: LibraryOption = None,
) -> None:
    """Take files out of the library. The media files themselves are never touched."""
    from pesearch.cli.maintenance_command import remove_paths

    raise typer.Exit(remove_paths(paths, chosen(library)))


@app.command()
def gc(library: LibraryOption = None) -> None:
    """Delete what nothing in the library refers to, merge small files of vectors, build search indexes that lack."""
    from pesearch.cli.maintenance_command import collect

    collect(chosen(library))


@app.command("eval")
def eval_command(
    judged: Annotated[
        Path,
        typer.Argument(
            metavar="JUDGED",
            help="Truths of clips or judged queries (JSON), or the folder of a dataset: see docs/evaluation.md.",
        ),
    ],
    layout: Annotated[
        str | None, typer.Option("--layout", metavar="NAME", help="A dataset's layout, where it is not recognised.")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="A dataset's split. Default: the one papers report.")
    ] = None,
    library: LibraryOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Measure how well a library answers: truths of clips, your own judged queries, or a public dataset."""
    from pesearch.cli.eval_command import run_dataset, run_eval

    if judged.is_dir():
        run_dataset(judged, layout, split, chosen(library), device, as_json)
    else:
        run_eval(judged, chosen(library), device, as_json)


@app.command("app")
def app_command(
    library: LibraryOption = None,
    port: Annotated[int, typer.Option("--port", min=1024, max=65535, help="Port to listen on.")] = 8501,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS", help="Let other machines in, unencrypted: needs a token.")
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="PESEARCH_TOKEN", help="What browsers must show. Better in $PESEARCH_TOKEN."),
    ] = None,
    host: Annotated[list[str] | None, typer.Option("--host", help="A name by which browsers call --listen.")] = None,
) -> None:
    """Search in the browser: look, listen, jump. Listens on 127.0.0.1, unless told otherwise."""
    from pesearch.app.access import access_for
    from pesearch.app.server import serve

    serve(chosen(library), access_for(listen, host or (), token), port, browser)


def version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        from pesearch import __version__

        typer.echo(f"pesearch {__version__}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command."""


def main() -> NoReturn:
    """The command `pesearch`."""
    end_process(command_line)


def command_line() -> None:
    """Run the command line. It ends by SystemExit."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # file names may hold any bytes
    run_to_its_end(app)
