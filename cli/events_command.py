"""`pesearch events`: onset and offset of named sounds in one file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pesearch.cli.exit_codes import NOTHING_FOUND
from pesearch.cli.options import DeviceOption, JsonOption, LibraryOption, library_folder

if TYPE_CHECKING:
    from pesearch.search.events.locate import ProgressCallback

PROGRESS_DELAY_SECONDS = 1.0
"""Detection shows a progress bar once it has taken this long."""


def events_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A video or audio file.")],
    phrases: Annotated[list[str], typer.Argument(metavar="PHRASE...", help="Sounds to locate, one phrase each.")],
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Model set; `pesearch models` lists them.")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", min=0.0, max=1.0, help="Minimum probability of a sound. Default: calibrated per model set."
        ),
    ] = None,
    library: LibraryOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Locate named sounds in one file: onset, offset and probability.

    It is searched with the models of the library, if there is one. Indexed files reuse the stored audio features, which
    is much faster.

    Exit codes: 0 found, 1 none found, 2 error.

    \b
    Examples:
      pesearch events film.mp4 siren train
      pesearch events film.mp4 "a dog barking" --threshold 0.5 --json
    """
    from pesearch.cli.json_output import events_json
    from pesearch.damage import SOUND_FEATURES
    from pesearch.formatting import damage_lines, format_event
    from pesearch.search.events.locate import locate_events
    from pesearch.search.opening import open_for_events
    from pesearch.settings import expand_home

    file = expand_home(file)
    models, stored = open_for_events(file, library_folder(library), model, device)
    if models.notice:
        print(models.notice, file=sys.stderr)
    with detection_progress() as report:
        events = locate_events(file, phrases, models, threshold, stored, report)
    damaged = stored.library.damage() if stored else ()
    for line in damage_lines([each for each in damaged if each.data == SOUND_FEATURES]):
        print(line, file=sys.stderr)
    if as_json:
        print(events_json(file.absolute(), events))
    else:
        for event in events:
            print(format_event(event))
    raise typer.Exit(0 if events else NOTHING_FOUND)


@contextmanager
def detection_progress() -> Iterator[ProgressCallback]:
    """A progress bar on stderr, which appears after PROGRESS_DELAY_SECONDS."""
    from pesearch.cli.render import progress_bar

    started, task = time.monotonic(), None
    with progress_bar() as bar:

        def report(done_seconds: float, duration_seconds: float, /) -> None:
            nonlocal task
            if task is None and time.monotonic() - started > PROGRESS_DELAY_SECONDS:
                task = bar.add_task("listening", total=duration_seconds, files="")
            if task is not None:
                bar.update(task, completed=done_seconds)

        yield report
