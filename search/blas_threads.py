"""NumPy's matrix products, while a question is answered.

They are small, and its OpenBLAS has all cores wait for more of them, spinning: that took as much time as the question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any


@contextmanager
def on_one_core() -> Iterator[None]:
    """Within it matrix products of NumPy take one core, in all threads; those of the models take as many as before."""
    _OF_ALL_THREADS.enter()
    try:
        yield
    finally:
        _OF_ALL_THREADS.leave()


class _Limit:
    """Holds from when the first thread enters until the last one leaves."""

    def __init__(self) -> None:
        self._within = 0
        self._counting = Lock()
        self._held: Any = None

    def enter(self) -> None:
        with self._counting:
            if not self._within:
                self._held = _done_elsewhere(lambda: _openblas().limit(limits=1))
            self._within += 1

    def leave(self) -> None:
        with self._counting:
            self._within -= 1
            if not self._within:
                _done_elsewhere(self._held.restore_original_limits)


_OF_ALL_THREADS = _Limit()


def _done_elsewhere(does: Callable[[], Any]) -> Any:
    """threadpoolctl lets no other thread change what one has set as long as that lives: so one sets it that ends."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(does).result()


@cache
def _openblas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(internal_api="openblas")
