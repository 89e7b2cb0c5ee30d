"""How a command ends: every error in one line on stderr and its exit code, and so does Ctrl-C."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable
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
    """Run the command line; every error ends in one line on stderr and its exit code."""
    try:
        app()
    except QuerySyntaxError as error:
        fail(str(error), 2, error.caret_lines())
    except PesearchError as error:
        fail(str(error), 2)
    except (Interrupted, KeyboardInterrupt):
        leave_interrupted()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(2) from None
    except Exception as error:  # the last line of defence: a bug, too, becomes one line that says how to see more
        if os.environ.get("PESEARCH_DEBUG"):
            raise
        fail(f"unexpected {type(error).__name__}: {error} (PESEARCH_DEBUG=1 shows where)", 2)


def leave_interrupted() -> NoReturn:
    """One line, then exit code 130.

    Not by SystemExit: where C code was running Python text as the signal came, CPython ends by the signal instead.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("pesearch: interrupted: what was committed is kept, run it again to go on", file=sys.stderr)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(130)


def fail(message: str, code: int, below: tuple[str, ...] = ()) -> None:
    """One line on stderr, what belongs below it, then the exit code."""
    print(f"pesearch: {' '.join(message.split())}", *below, sep="\n  ", file=sys.stderr)
    raise SystemExit(code)
