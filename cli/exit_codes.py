"""Exit codes: each error is one line on stderr and an exit code, and so is Ctrl-C."""

from __future__ import annotations

import atexit
import errno
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from typer.core import TyperGroup

from pesearch.errors import PesearchError, QuerySyntaxError
from pesearch.interrupts import INTERRUPTED_LINE, is_interrupt, remember_interrupts

NOTHING_FOUND = 1
"""As with grep: the command succeeded without a result, or the user declined."""

ERROR = 2
"""The command failed, or was called with wrong arguments."""

SOME_FAILED = 3
"""The command finished, but some files failed and are listed."""

INTERRUPTED = 130
"""128 + SIGINT, as shells report a command that Ctrl-C ended."""


OUTPUT_CLOSED = 141
"""128 + SIGPIPE, as shells report a command whose reader (`head`, a pager) has enough: it did not fail."""


OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""Errors of a write to stdout: without room, on a failing disk, or closed by the caller. They name no file."""


class Interrupted(Exception):
    """Ctrl-C inside a command."""


class OutputClosed(Exception):
    """Nobody reads stdout any more."""


class Commands(TyperGroup):
    """Lets Ctrl-C and a closed pipe through to `exit_on_error`; Typer itself would exit with 1."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the arguments, which also prints --help and --version. Raises Interrupted on Ctrl-C, OutputClosed."""
        with _passing_by_typer():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run the selected command. Raises Interrupted on Ctrl-C, OutputClosed."""
        with _passing_by_typer():
            return super().invoke(ctx)


@contextmanager
def _passing_by_typer() -> Iterator[None]:
    """Replace the exceptions that Typer ends the process for."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted from None
    except BrokenPipeError:
        if _is_stdout_closed():
            raise OutputClosed from None
        raise


def exit_on_error(app: Callable[[], Any]) -> None:
    """Run the command line; turn every error into one line on stderr and SystemExit with its code."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except QuerySyntaxError as error:
        fail(str(error), error.caret_lines())
    except (Interrupted, KeyboardInterrupt):
        exit_interrupted()
    except (OutputClosed, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(OUTPUT_CLOSED) from None
    except Exception as error:  # the last line of defence: named in one line, exit code 2
        if is_interrupt(error):
            exit_interrupted()
        if isinstance(error, PesearchError):
            fail(str(error))
        if isinstance(error, OSError) and error.filename is None and error.errno in OUTPUT_ERRORS:
            reason = "stdout is closed" if error.errno == errno.EBADF else error.strerror
            fail(f"cannot write the output: {reason}")
        # a bug is also reported in one line, with the way to get the traceback
        if os.environ.get("PESEARCH_DEBUG"):
            raise
        fail(f"unexpected {type(error).__name__}: {error} (PESEARCH_DEBUG=1 prints the traceback)")


def _is_stdout_closed() -> bool:
    """Whether stdout is a pipe without a reader: yes on Windows, which cannot tell, after any broken pipe."""
    if sys.platform == "win32":
        return True
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))  # macOS reports a hang-up


def exit_interrupted() -> NoReturn:
    """Print one line and end the process with INTERRUPTED."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(INTERRUPTED_LINE, file=sys.stderr)
    exit_at_once(INTERRUPTED)


def end_process(run: Callable[[], None]) -> NoReturn:
    """Run the command line, then end the process with its exit code."""
    remember_interrupts()
    try:
        run()
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        exit_at_once(end.code or 0)
    exit_at_once(0)


def exit_at_once(code: int) -> NoReturn:
    """Run the `atexit` functions, flush stdout and stderr, and end the process without the rest of Python's shutdown.

    With torch imported that rest takes a second, and after Ctrl-C inside a callback from C code Python dies of the
    signal instead of exiting with `code`. `atexit._run_exitfuncs` is private to CPython:
    tests/cli/test_exit_codes.py fails if it changes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # reported when it was written
            stream.flush()
    os._exit(code)


def fail(message: str, details: tuple[str, ...] = ()) -> NoReturn:
    """Print one line on stderr, with `details` indented below it, and raise SystemExit with ERROR."""
    print(f"pesearch: {' '.join(message.split())}", *details, sep="\n  ", file=sys.stderr)
    raise SystemExit(ERROR)
