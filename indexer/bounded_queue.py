"""A queue between threads that is bounded by bytes: a 4K frame weighs a hundred times a small one."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """Something that knows how much memory it holds."""

    @property
    def size_bytes(self) -> int: ...


Item = TypeVar("Item", bound=Sized)


class Closed(Exception):
    """The other side has gone: there is nobody to put for."""


class BoundedQueue(Generic[Item]):
    """First in, first out, from `producers` threads to one consumer; holds `capacity_bytes`, or one larger item."""

    def __init__(self, capacity_bytes: int, producers: int) -> None:
        self._capacity = capacity_bytes
        self._producers = producers
        self._items: deque[Item] = deque()
        self._held = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: Item) -> None:
        """Waits for room. Raises Closed when the consumer has closed the channel."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._items or self._fits(item))
            if self._closed:
                raise Closed
            self._items.append(item)
            self._held += item.size_bytes
            self._changed.notify_all()

    def take(self, most: int, most_bytes: int) -> list[Item]:
        """The next items, at least one and at most so many or so heavy; waits. None left and none to come: []."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._items) or not self._producers)
            taken: list[Item] = []
            weight = 0
            while self._items and len(taken) < most:
                weight += self._items[0].size_bytes
                if taken and weight > most_bytes:
                    break
                taken.append(self._items.popleft())
            self._held = sum(item.size_bytes for item in self._items)
            self._changed.notify_all()
            return taken

    def finish(self) -> None:
        """A producer says that it will put no more."""
        with self._changed:
            self._producers -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """The consumer says that it will take no more: waiting producers get Closed."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fits(self, item: Item) -> bool:
        return self._held + item.size_bytes <= self._capacity
