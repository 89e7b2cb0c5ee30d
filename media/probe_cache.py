"""Probed files that the readers will ask for again, bounded in number and in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class ProbeCache(Generic[Value]):
    """The values that were used last. Thread-safe; two threads that miss the same key may both compute it."""

    def __init__(self, max_count: int, max_bytes: int, size_of: Callable[[Value], int]) -> None:
        """`size_of` gives the bytes that a value takes."""
        self._max_count, self._max_bytes, self._size_of = max_count, max_bytes, size_of
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._size_bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of a key, computed if it is not kept. Errors: those of `compute`, which are not kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        value = compute()
        size = self._size_of(value)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = value, size
                self._size_bytes += size
            while self._size_bytes > self._max_bytes or len(self._kept) > self._max_count:
                _, (_, removed) = self._kept.popitem(last=False)
                self._size_bytes -= removed
        return value

    def clear(self) -> None:
        """Forget all values."""
        with self._lock:
            self._kept.clear()
            self._size_bytes = 0
