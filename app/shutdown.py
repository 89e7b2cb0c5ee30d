"""Programs that end when they are told to, whatever still holds them up."""

from __future__ import annotations

import os
from threading import Timer

LAST_SECONDS = 5.0
"""So long may threads that work on take to end, and so long is waited for an interrupt that a library swallowed."""


def end_within_seconds(code: int) -> None:
    """This process ends by itself meanwhile, or with that exit code after LAST_SECONDS."""
    last = Timer(LAST_SECONDS, os._exit, [code])
    last.daemon = True
    last.start()
