"""Limits NumPy's OpenBLAS to one thread during searches.

The matrix products of a search are small. With more threads OpenBLAS spins on all cores while it waits for the next
product, which took as much time as the search itself.
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
    """Runs NumPy's matrix products on one core, in all threads of the process. The models keep their threads."""
    _LIMIT.enter()
    try:
        yield
    finally:
        _LIMIT.leave()


class _SharedLimit:
    """A limit that applies from when the first thread enters until the last one leaves."""

    def __init__(self) -> None:
        self._entered = 0
        self._lock = Lock()
        self._limiter: Any = None

    def enter(self) -> None:
        with self._lock:
            if not self._entered:
                self._limiter = _in_new_thread(lambda: _openblas().limit(limits=1))
            self._entered += 1

    def leave(self) -> None:
        with self._lock:
            self._entered -= 1
            if not self._entered:
                _in_new_thread(self._limiter.restore_original_limits)


_LIMIT = _SharedLimit()


def _in_new_thread(change: Callable[[], Any]) -> Any:
    """Calls threadpoolctl in a thread that ends at once.

    A limit that one thread has set cannot be changed from another one while the first is alive, and the last search
    to end need not run in the thread of the first. tests/pesearch/test_blas_threads.py fails if this workaround does.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(change).result()


@cache
def _openblas() -> Any:
    """threadpoolctl's controller of the OpenBLAS that NumPy loaded; empty if NumPy has another BLAS."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(internal_api="openblas")
