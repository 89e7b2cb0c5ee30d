"""What a person reads in a terminal: plain lines, every name safe to print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from pesearch.types import Moment


CUES_SHOWN = 3
"""So many of the cues of a moment are printed."""


def shown(path: Path) -> str:
    """A path on one line: control characters and undecodable bytes are escaped."""
    from pesearch.formatting import printable

    return printable(str(path))


def moment_lines(moment: Moment, is_match: bool) -> Iterator[str]:
    """A moment: rank (with ? where it is no confident match), score, time and path; what speaks for it; what is written
    there; where the sounds are; how to play it."""
    from pesearch.formatting import (
        format_cue,
        format_event,
        format_evidence,
        format_moment_time,
        mpv_command,
        printable,
    )

    path = moment.file.path
    yield f"{moment.rank:>3}{'.' if is_match else '?'} {moment.score:.2f}  {format_moment_time(moment)}  {shown(path)}"
    indent = " " * 11
    if moment.evidence:
        yield indent + format_evidence(moment.evidence)
    yield from (indent + printable(format_cue(cue)) for cue in moment.cues[:CUES_SHOWN])
    yield from (indent + format_event(event) for event in moment.events)
    if moment.end_seconds > moment.start_seconds:
        yield indent + mpv_command(moment)


def size(size_bytes: int) -> str:
    """A size as people say it."""
    if size_bytes < 1_000_000_000:
        return f"{size_bytes / 1e6:.1f} MB"
    return f"{size_bytes / 1e9:.2f} GB"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Columns padded to their widest entry."""
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        yield "  ".join(entry.ljust(width) for entry, width in zip(line, widths, strict=True)).rstrip()


@contextmanager
def progress_bar() -> Iterator[Bar]:
    """A bar on stderr with files, hours, speed and time left; silent where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[files]}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield bar
