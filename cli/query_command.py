"""`pesearch query` and `pesearch events`: ask, then print lines, JSON or paths."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.cli.json_output import answer_json, answer_lines, events_json
from pesearch.cli.render import moment_lines

if TYPE_CHECKING:
    from pesearch.search.events.locate import ProgressCallback
    from pesearch.search.query.request import SearchRequest
    from pesearch.search.search import SearchResult

PATIENCE_SECONDS = 1.0
"""What takes longer shows how far it is."""


def answer_question(folder: Path, request: SearchRequest, device: str, verbose: bool) -> SearchResult:
    """Ask the page that runs for this library, else the library itself."""
    from pesearch.search.server.client import NotServed, ask_server

    started = time.monotonic()
    try:
        told = ask_server(folder, request, device)
    except NotServed as reason:
        return _answer_cold(folder, request, device, str(reason) if verbose else None)
    if told.notice:
        print(told.notice, file=sys.stderr)
    if verbose:
        print(f"answered by the running page in {time.monotonic() - started:.2f} s", file=sys.stderr)
    return told.result()


def _answer_cold(folder: Path, request: SearchRequest, device: str, reason: str | None) -> SearchResult:
    """Open the library with its models and ask it; where there is a `reason` why, tell it with the times."""
    from pesearch.search.opening import open_for_search
    from pesearch.search.search import search

    started = time.monotonic()
    library, models = open_for_search(folder, device)
    if models.notice:
        print(models.notice, file=sys.stderr)
    opened = time.monotonic()
    answer = search(library, models, request)
    if reason:
        spent = f"opened in {opened - started:.2f} s, models loaded and answered in {time.monotonic() - opened:.2f} s"
        print(f"{reason}: {spent}", file=sys.stderr)
    return answer


def print_answer(answer: SearchResult, unsure: bool, as_json: bool, as_lines: bool, as_paths: bool) -> None:
    """Data on stdout in the form asked for, with what is `unsure` or without; a word on stderr when nothing matches
    with confidence."""
    moments = answer.moments if unsure else answer.matches
    if as_json:
        print(answer_json(answer, moments))
    elif as_lines:
        for line in answer_lines(answer, moments):
            print(line)
    elif as_paths:
        paths = dict.fromkeys(os.fsencode(moment.file.path) for moment in moments)
        sys.stdout.buffer.write(b"".join(path + b"\0" for path in paths))
    else:
        for moment in moments:
            for line in moment_lines(moment, answer.is_match(moment)):
                print(line)
    if not answer.matches:
        print("no confident match", file=sys.stderr)


def locate(
    file: Path, phrases: list[str], model: str | None, threshold: float | None, folder: Path, device: str, as_json: bool
) -> int:
    """Print the events of one file; 1 when there is none."""
    from pesearch.formatting import format_event
    from pesearch.search.events.locate import locate_events
    from pesearch.search.opening import open_for_events

    models, stored = open_for_events(file, folder, model, device)
    if models.notice:
        print(models.notice, file=sys.stderr)
    with hearing_shown() as heard:
        events = locate_events(file, phrases, models, threshold, stored, heard)
    if as_json:
        print(events_json(file.absolute(), events))
    else:
        for event in events:
            print(format_event(event))
    return 0 if events else 1


@contextmanager
def hearing_shown() -> Iterator[ProgressCallback]:
    """Shows how far a file is heard, on stderr, once that takes longer than a second."""
    from pesearch.cli.render import progress_bar

    started, task = time.monotonic(), None
    with progress_bar() as bar:

        def heard(reached_seconds: float, duration_seconds: float) -> None:
            nonlocal task
            if task is None and time.monotonic() - started > PATIENCE_SECONDS:
                task = bar.add_task("hearing", total=duration_seconds, files="")
            if task is not None:
                bar.update(task, completed=reached_seconds)

        yield heard
