"""Text for the terminal: plain lines, names escaped so that they are safe to print, and progress bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from pesearch.types import Moment

MAX_CUES = 3
"""Cues printed for each moment."""


def format_path(path: Path) -> str:
    """A path on one line: control characters and undecodable bytes are escaped."""
    from pesearch.formatting import printable

    return printable(str(path))


def format_size(size_bytes: int) -> str:
    """`1.5 MB`, `3.39 GB` (decimal units)."""
    if size_bytes < 1_000_000_000:
        return f"{size_bytes / 1e6:.1f} MB"
    return f"{size_bytes / 1e9:.2f} GB"


def moment_lines(moment: Moment, is_match: bool) -> Iterator[str]:
    """Rank (`3.`, or `3?` without a confident match), score, time and path; below it the evidence, the cues, the sound
    events, the near-equal moments, and the command that plays the moment."""
    from pesearch.formatting import (
        format_absence,
        format_cue,
        format_event,
        format_evidence,
        format_moment_time,
        format_near_duplicates,
        mpv_command,
        printable,
    )
    from pesearch.types import MediaKind

    mark, absence = "." if is_match else "?", format_absence(moment.file)
    path = format_path(moment.file.path) + (f"  ({absence})" if absence else "")
    yield f"{moment.rank:>3}{mark} {moment.score:.2f}  {format_moment_time(moment)}  {path}"
    indent = " " * 11
    if moment.evidence:
        yield indent + format_evidence(moment.evidence)
    yield from (indent + printable(format_cue(cue)) for cue in moment.cues[:MAX_CUES])
    yield from (indent + format_event(event) for event in moment.events)
    if moment.near_duplicates:
        yield indent + format_near_duplicates(moment.near_duplicates)
    if not absence and moment.file.info.kind is not MediaKind.IMAGE:
        yield indent + mpv_command(moment)


def table_lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The header and the rows, each column as wide as its widest entry."""
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        yield "  ".join(entry.ljust(width) for entry, width in zip(line, widths, strict=True)).rstrip()


@contextmanager
def progress_bar() -> Iterator[Bar]:
    """A bar on stderr with a description, a text field `files` and the time left; silent if stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[files]}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield bar
