"""Ways to end this process while threads are still working: the only place in `app/` that uses `os._exit`.

Python waits for its non-daemon threads at exit, and decoding or a search may run for minutes. `os._exit` skips that
wait and every `atexit` handler: the library needs none, because a commit is on disk when it returns.
"""

from __future__ import annotations

import os
import sys
from threading import Timer
from typing import NoReturn

GRACE_SECONDS = 5.0
"""Time for threads to finish. The process also ends after it if a library swallowed the interrupt, as some do while
they load."""


def exit_after_grace(code: int, line: str = "") -> None:
    """Let this process end normally. If it still runs after GRACE_SECONDS, write a line to stderr and end it with exit
    status `code`."""

    def end() -> None:
        sys.stderr.write(f"{line}\n" if line else "")
        exit_now(code)

    timer = Timer(GRACE_SECONDS, end)
    timer.daemon = True
    timer.start()


def exit_now(code: int) -> NoReturn:
    """End this process without waiting for its threads; stdout and stderr are flushed."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
