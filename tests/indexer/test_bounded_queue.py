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
class Parcel:
    size_bytes: int
    sender: int = 0
    number: int = 0


def filled(sizes: list[int]) -> BoundedQueue[Parcel]:
    channel: BoundedQueue[Parcel] = BoundedQueue(sum(sizes), producers=1)
    for number, size in enumerate(sizes):
        channel.put(Parcel(size, number=number))
    channel.finish()
    return channel


@given(st.lists(st.integers(0, 20)), st.integers(1, 5), st.integers(1, 30))
def test_everything_comes_once_in_order_and_in_bounded_batches(sizes: list[int], most: int, most_bytes: int) -> None:
    channel = filled(sizes)
    batches = list(iter(lambda: channel.take(most, most_bytes), []))
    assert [parcel.number for batch in batches for parcel in batch] == list(range(len(sizes)))
    for batch in batches:
        assert len(batch) <= most
        assert len(batch) == 1 or sum(parcel.size_bytes for parcel in batch) <= most_bytes


def test_many_producers_never_hold_more_than_the_bound() -> None:
    channel: BoundedQueue[Parcel] = BoundedQueue(10, producers=4)
    row_counts, highest = 0, 0
    lock = threading.Lock()

    def produce(sender: int) -> None:
        nonlocal row_counts, highest
        for number in range(50):
            channel.put(Parcel(4, sender, number))
            with lock:
                row_counts += 4
                highest = max(highest, row_counts)
        channel.finish()

    taken: list[Parcel] = []
    with ThreadPoolExecutor(4) as threads:
        for sender in range(4):
            threads.submit(produce, sender)
        while batch := channel.take(3, 8):
            with lock:
                row_counts -= sum(parcel.size_bytes for parcel in batch)
            taken += batch
    assert highest <= 10
    assert len(taken) == 200
    for sender in range(4):
        assert [parcel.number for parcel in taken if parcel.sender == sender] == list(range(50))


def test_a_parcel_larger_than_all_room_passes_alone() -> None:
    channel: BoundedQueue[Parcel] = BoundedQueue(10, producers=1)
    channel.put(Parcel(1000))
    assert channel.take(5, 10) == [Parcel(1000)]


def test_closing_wakes_a_waiting_producer() -> None:
    channel: BoundedQueue[Parcel] = BoundedQueue(10, producers=1)
    channel.put(Parcel(10))
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(channel.put, Parcel(10))
        channel.close()
        with pytest.raises(QueueClosed):
            waiting.result()
