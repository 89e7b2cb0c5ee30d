"""Ctrl-C, remembered: an error that it caused in a library is still known as an interrupt.

A module in C that is interrupted while it loads reports an ImportError without a cause, and Python itself wraps what is
raised while it creates a class. So an error after Ctrl-C counts as the interrupt, whatever its type.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import NoReturn

_has_arrived = False


def remember_interrupts(act: Callable[[], None] = lambda: None) -> None:
    """From now on Ctrl-C (SIGINT) is remembered, calls `act`, and raises KeyboardInterrupt in the main thread.

    Does nothing where SIGINT is ignored, as in the background jobs of a shell. Call it in the main thread.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return

    def interrupt(*_: object) -> NoReturn:
        global _has_arrived
        _has_arrived = True
        act()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)


def is_interrupt(error: BaseException) -> bool:
    """Whether an error that ended a command is KeyboardInterrupt, or came after Ctrl-C."""
    return _has_arrived or isinstance(error, KeyboardInterrupt)
