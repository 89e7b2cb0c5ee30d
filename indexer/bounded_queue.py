"""A queue between threads, bounded in bytes: one 4K frame takes the memory of a hundred small ones."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, Protocol, TypeVar


class HasSize(Protocol):
    """An item that reports the memory it holds."""

    @property
    def size_bytes(self) -> int: ...


Item = TypeVar("Item", bound=HasSize)


class QueueClosed(Exception):
    """The consumer has closed the queue."""


class BoundedQueue(Generic[Item]):
    """First in, first out, from `producers` threads to one consumer; holds `capacity_bytes`, or one larger item."""

    def __init__(self, capacity_bytes: int, producers: int) -> None:
        self._capacity_bytes = capacity_bytes
        self._producers = producers
        self._items: deque[Item] = deque()
        self._size_bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: Item) -> None:
        """Blocks until the item fits. Raises QueueClosed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._items or self._fits(item))
            if self._closed:
                raise QueueClosed
            self._items.append(item)
            self._size_bytes += item.size_bytes
            self._changed.notify_all()

    def take(self, max_items: int, max_bytes: int) -> list[Item]:
        """Blocks for the next items, at least one, within both limits. Empty when all producers have finished."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._items) or not self._producers)
            taken: list[Item] = []
            taken_bytes = 0
            while self._items and len(taken) < max_items:
                taken_bytes += self._items[0].size_bytes
                if taken and taken_bytes > max_bytes:
                    break
                taken.append(self._items.popleft())
            self._size_bytes = sum(item.size_bytes for item in self._items)
            self._changed.notify_all()
            return taken

    def finish(self) -> None:
        """Called once by each producer, after its last item."""
        with self._changed:
            self._producers -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Called by the consumer when it stops: `put` then raises QueueClosed, also in waiting producers."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fits(self, item: Item) -> bool:
        return self._size_bytes + item.size_bytes <= self._capacity_bytes
