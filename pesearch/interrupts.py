"""Ctrl-C, remembered: an error that it caused in a library is still known as an interrupt.

A module in C that is interrupted while it loads reports an ImportError without a cause, and Python itself wraps what is
raised while it creates a class. So an error after Ctrl-C counts as the interrupt, whatever its type.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from threading import Timer
from typing import Any, NoReturn

INTERRUPTED_LINE = "pesearch: interrupted: finished work is kept, run the command again to continue"
"""What a command prints on stderr when Ctrl-C ends it."""

RETRY_SECONDS = 0.05

_has_arrived = False


def remember_interrupts(act: Callable[[], None] = lambda: None) -> None:
    """From now on Ctrl-C (SIGINT) is remembered, calls `act`, and raises KeyboardInterrupt in the main thread.

    Where Python drops the exception, as in a `__del__` method, it is raised again RETRY_SECONDS later.
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
    sys.unraisablehook = _raise_again


def _raise_again(dropped: Any) -> None:
    if not isinstance(dropped.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)
        return
    timer = Timer(RETRY_SECONDS, interrupt_main_thread)  # in here it would be dropped, too
    timer.daemon = True
    timer.start()


def interrupt_main_thread() -> None:
    """Do in another thread what Ctrl-C does. On Windows it takes effect when the main thread next runs Python code."""
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGINT)
        return
    main_thread = threading.main_thread().ident
    assert main_thread is not None  # it was started
    signal.pthread_kill(main_thread, signal.SIGINT)


def is_interrupt(error: BaseException) -> bool:
    """Whether an error that ended a command is KeyboardInterrupt, or came after Ctrl-C."""
    return _has_arrived or isinstance(error, KeyboardInterrupt)
