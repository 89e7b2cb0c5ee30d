"""Limits NumPy's OpenBLAS to one thread during searches.

The matrix products of a search are small. With more threads OpenBLAS spins on all cores while it waits for the next
product, which took as much time as the search itself.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from pesearch.process_setting import ProcessSetting


def on_one_core() -> AbstractContextManager[None]:
    """A context that runs NumPy's matrix products on one core, in all threads of the process. Models keep theirs."""
    return _ONE_CORE


def _limit() -> Callable[[], object]:
    limiter = _in_new_thread(lambda: _openblas().limit(limits=1))
    return lambda: _in_new_thread(limiter.restore_original_limits)


_ONE_CORE = ProcessSetting(_limit)


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
