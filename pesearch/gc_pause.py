"""Pauses Python's garbage collector while libraries are imported and models are loaded."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def pause_collection() -> Iterator[None]:
    """No search for cyclic garbage inside, in any thread; afterwards as before.

    Imports and loaded models are up to a million objects that stay. As their number grows, all of them are searched
    again and again: with torch an eighth of the CPU time of a query, without it a twentieth (Python 3.11).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
