"""How a command ends: every error in one line on stderr and its exit code, and so does Ctrl-C."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from typer.core import TyperGroup

from pesearch.errors import PesearchError, QuerySyntaxError


class Interrupted(Exception):
    """Ctrl-C in a command."""


class Commands(TyperGroup):
    """The commands, where Ctrl-C comes through to `main`; Typer would end in silence."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the words name."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted from None


def run_to_its_end(app: Callable[[], Any]) -> None:
    """Run the command line; every error ends in one line on stderr and its exit code (SystemExit)."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except QuerySyntaxError as error:
        fail(str(error), 2, error.caret_lines())
    except (Interrupted, KeyboardInterrupt):
        leave_interrupted()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(2) from None
    except Exception as error:
        if _is_interrupt(error):
            leave_interrupted()
        if isinstance(error, PesearchError):
            fail(str(error), 2)
        # the last line of defence: a bug, too, becomes one line that says how to see more
        if os.environ.get("PESEARCH_DEBUG"):
            raise
        fail(f"unexpected {type(error).__name__}: {error} (PESEARCH_DEBUG=1 shows where)", 2)


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: libraries, and Python where it makes a class, wrap it into their own."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:  # gRPC's errors go in circles
        seen.append(error)
        error = error.__cause__ or error.__context__
    return any(isinstance(each, KeyboardInterrupt) for each in seen)


def leave_interrupted() -> NoReturn:
    """One line, then exit code 130."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("pesearch: interrupted: what was committed is kept, run it again to go on", file=sys.stderr)
    leave(130)


def end_process(run: Callable[[], None]) -> NoReturn:
    """Run the command line, and end this process with its exit code."""
    try:
        run()
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        leave(end.code or 0)
    leave(0)


def leave(code: int) -> NoReturn:
    """End this process; what has to be closed has been registered for that.

    Not by SystemExit: Python takes torch and its modules apart for a second, and ends by the signal where C code was
    running Python text as Ctrl-C came.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # what could not be written was told before
            stream.flush()
    os._exit(code)


def fail(message: str, code: int, below: tuple[str, ...] = ()) -> None:
    """One line on stderr, what belongs below it, then the exit code."""
    print(f"pesearch: {' '.join(message.split())}", *below, sep="\n  ", file=sys.stderr)
    raise SystemExit(code)
