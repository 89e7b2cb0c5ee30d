"""The queue between decoding and the models."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.indexer.bounded_queue import BoundedQueue, QueueClosed


@dataclass(frozen=True, slots=True)
class Item:
    size_bytes: int
    sender: int = 0
    number: int = 0


def filled(sizes: list[int]) -> BoundedQueue[Item]:
    queue: BoundedQueue[Item] = BoundedQueue(sum(sizes), producers=1)
    for number, size in enumerate(sizes):
        queue.put(Item(size, number=number))
    queue.finish()
    return queue


@given(st.lists(st.integers(0, 20)), st.integers(1, 5), st.integers(1, 30))
def test_items_come_once_in_order_and_in_bounded_batches(sizes: list[int], max_items: int, max_bytes: int) -> None:
    queue = filled(sizes)
    batches = list(iter(lambda: queue.take(max_items, max_bytes), []))
    assert [item.number for batch in batches for item in batch] == list(range(len(sizes)))
    for batch in batches:
        assert len(batch) <= max_items
        assert len(batch) == 1 or sum(item.size_bytes for item in batch) <= max_bytes


def test_many_producers_never_exceed_the_capacity() -> None:
    queue: BoundedQueue[Item] = BoundedQueue(10, producers=4)
    row_counts, highest = 0, 0
    lock = threading.Lock()

    def produce(sender: int) -> None:
        nonlocal row_counts, highest
        for number in range(50):
            queue.put(Item(4, sender, number))
            with lock:
                row_counts += 4
                highest = max(highest, row_counts)
        queue.finish()

    taken: list[Item] = []
    with ThreadPoolExecutor(4) as threads:
        for sender in range(4):
            threads.submit(produce, sender)
        while batch := queue.take(3, 8):
            with lock:
                row_counts -= sum(item.size_bytes for item in batch)
            taken += batch
    assert highest <= 10
    assert len(taken) == 200
    for sender in range(4):
        assert [item.number for item in taken if item.sender == sender] == list(range(50))


def test_an_item_larger_than_the_capacity_passes_alone() -> None:
    queue: BoundedQueue[Item] = BoundedQueue(10, producers=1)
    queue.put(Item(1000))
    assert queue.take(5, 10) == [Item(1000)]


def test_closing_wakes_a_waiting_producer() -> None:
    queue: BoundedQueue[Item] = BoundedQueue(10, producers=1)
    queue.put(Item(10))
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(queue.put, Item(10))
        queue.close()
        with pytest.raises(QueueClosed):
            waiting.result()
