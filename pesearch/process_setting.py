"""A setting of the whole process that some work needs, in whatever threads it runs."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock


class ProcessSetting:
    """A context in which a setting applies, from when the first thread enters until the last one leaves."""

    def __init__(self, change: Callable[[], Callable[[], object]]) -> None:
        """`change` makes the setting, and returns what restores the one before."""
        self._change = change
        self._restore: Callable[[], object] = lambda: None
        self._inside = 0
        self._lock = Lock()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._restore = self._change()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._restore()
