"""The streams that the caller gave the process: those that are closed, and a stderr that cannot be written."""

from __future__ import annotations

import io
import os
import sys
from typing import Any


def open_missing_streams() -> None:
    """Open the null device for each of stdin, stdout and stderr that the caller closed, as `>&-` does.

    Else the next file that is opened, such as a library's, would take the number of stdout, and receive its text. The
    device is opened in the wrong direction: using the stream fails with EBADF, as that of the closed one does (gnulib's
    stdopen).
    """
    streams = ((0, "stdin", "r", os.O_WRONLY), (1, "stdout", "w", os.O_RDONLY), (2, "stderr", "w", os.O_RDONLY))
    for number, name, mode, wrong_direction in streams:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, wrong_direction)  # takes the lowest free number
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def ignore_stderr_errors() -> None:
    """Drop messages that stderr does not take: the data and the exit code are those without them, as with grep.

    The console of Windows, which is written to as text instead of bytes, takes all.
    """
    if sys.platform == "win32" and sys.stderr.isatty():
        return
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_Messages(2, "w", closefd=False)),
        encoding=sys.stderr.encoding,
        errors=sys.stderr.errors,
        line_buffering=True,
    )


class _Messages(io.FileIO):
    """A file whose failed writes count as done."""

    def write(self, messages: Any) -> int:
        try:
            written = super().write(messages)
        except OSError:
            written = None  # as for a pipe that does not block and is full
        return memoryview(messages).nbytes if written is None else written
