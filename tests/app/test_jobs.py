"""Work that pages wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from threading import Event

import pytest
from starlette.requests import Request
from starlette.types import Message

from pesearch.app.jobs import Jobs, NobodyWaits
from pesearch.errors import MediaError


def waiting(gone: asyncio.Event | None = None) -> Request:
    """The request of a page that waits until it is gone."""

    async def receive() -> Message:
        await (gone or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "GET", "headers": [], "path": "/"}, receive)


def test_the_same_is_made_once() -> None:
    made: list[str] = []

    def make(_: Event) -> str:
        made.append("once")
        return "picture"

    async def ask() -> list[str]:
        jobs = Jobs[str](4)
        return await asyncio.gather(*(jobs.result(waiting(), "a", make) for _ in range(20)))

    assert asyncio.run(ask()) == ["picture"] * 20
    assert made == ["once"]


def test_at_most_so_many_at_once() -> None:
    full = threading.Barrier(3, timeout=20)
    counting = threading.Lock()
    now: list[int] = []
    most: list[int] = []

    def make(_: Event) -> int:
        with counting:
            now.append(1)
            most.append(len(now))
        full.wait()  # goes on when three are here, and never more are
        with counting:
            now.pop()
        return 1

    async def ask() -> int:
        jobs = Jobs[int](3)
        return sum(await asyncio.gather(*(jobs.result(waiting(), str(name), make) for name in range(12))))

    assert asyncio.run(ask()) == 12
    assert max(most) <= 3


def wait_until_unwanted(begun: threading.Event) -> Callable[[Event], str]:
    def make(unwanted: Event) -> str:
        begun.set()
        assert unwanted.wait(20)
        raise MediaError("was not wanted any more")

    return make


def test_the_last_page_that_goes_ends_it() -> None:
    async def ask() -> list[bool]:
        jobs, begun, gone, both_gone = Jobs[str](1), threading.Event(), asyncio.Event(), asyncio.Event()
        first, second = (
            asyncio.create_task(jobs.result(waiting(leaves), "a", wait_until_unwanted(begun)))
            for leaves in (gone, both_gone)
        )
        await asyncio.to_thread(begun.wait)
        gone.set()
        with pytest.raises(NobodyWaits):
            await first
        still = [second.done()]
        both_gone.set()
        with pytest.raises(NobodyWaits):
            await second
        again = await jobs.result(waiting(), "a", lambda _: "made anew")
        return [*still, again == "made anew"]

    assert asyncio.run(ask()) == [False, True]


def test_what_was_begun_is_joined_by_who_asks() -> None:
    jobs, asked, made = Jobs[str](1), threading.Event(), list[bool]()

    def make(unwanted: Event) -> str:
        assert asked.wait(20)
        made.append(unwanted.is_set())
        return "picture"

    async def ask() -> str:
        result = asyncio.create_task(jobs.result(waiting(), "a", make))
        await asyncio.sleep(0)
        asked.set()
        return await result

    begun = jobs.begin("a", make)
    assert asyncio.run(ask()) == begun.result(20) == "picture"
    assert made == [False]


def test_what_was_begun_goes_on_when_who_asked_has_gone() -> None:
    jobs, begun = Jobs[str](1), threading.Event()
    is_gone = threading.Event()

    def make(unwanted: Event) -> str:
        begun.set()
        assert is_gone.wait(20)
        return "unwanted" if unwanted.is_set() else "picture"

    async def ask() -> None:
        gone = asyncio.Event()
        result = asyncio.create_task(jobs.result(waiting(gone), "a", make))
        await asyncio.to_thread(begun.wait)
        gone.set()
        with pytest.raises(NobodyWaits):
            await result
        is_gone.set()

    made = jobs.begin("a", make)
    asyncio.run(ask())
    assert made.result(20) == "picture"


def test_an_error_is_told_to_who_waits() -> None:
    def make(_: Event) -> str:
        raise MediaError("has no pictures")

    with pytest.raises(MediaError, match="has no pictures"):
        asyncio.run(Jobs[str](1).result(waiting(), "a", make))


def test_an_error_of_what_was_begun_is_told_to_who_asks() -> None:
    asked = threading.Event()

    def make(_: Event) -> str:
        assert asked.wait(20)
        raise MediaError("has no pictures")

    async def ask(jobs: Jobs[str]) -> str:
        result = asyncio.create_task(jobs.result(waiting(), "a", make))
        await asyncio.sleep(0)
        asked.set()
        return await result

    jobs = Jobs[str](1)
    jobs.begin("a", make)
    with pytest.raises(MediaError, match="has no pictures"):
        asyncio.run(ask(jobs))
