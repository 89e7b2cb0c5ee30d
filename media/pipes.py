"""Waiting for the pipes of running programs, several at a time and with a time limit."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Sequence
from typing import IO

if sys.platform == "win32":
    import _winapi
    import msvcrt

_POLL_SECONDS = 0.005
"""How often pipes are looked at on Windows, which cannot wait for them."""


def wait_readable(pipes: Sequence[IO[bytes]], timeout_seconds: float) -> list[IO[bytes]]:
    """Those of the pipes that have something to read, or are at their end; none if that takes longer than the limit."""
    if sys.platform == "win32":
        deadline = time.monotonic() + timeout_seconds
        while not (ready := [pipe for pipe in pipes if _has_data(pipe)]) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return ready
    poll = select.poll()  # select.select fails above 1023 open files
    for pipe in pipes:
        poll.register(pipe, select.POLLIN)
    descriptors = {descriptor for descriptor, _ in poll.poll(timeout_seconds * 1000)}
    return [pipe for pipe in pipes if pipe.fileno() in descriptors]


if sys.platform == "win32":

    def _has_data(pipe: IO[bytes]) -> bool:
        try:
            available_bytes, *_ = _winapi.PeekNamedPipe(msvcrt.get_osfhandle(pipe.fileno()))
            return bool(available_bytes)
        except OSError:  # the other end is closed
            return True
