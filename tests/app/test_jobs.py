"""Background work that requests wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from threading import Event
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from pesearch.app import pictures, routes
from pesearch.app.jobs import CORES, ClientDisconnected, Jobs
from pesearch.errors import MediaError

RunAsync = Callable[[Coroutine[Any, Any, Any]], Any]

PATIENCE_SECONDS = 60


def request_until(disconnects: asyncio.Event | None = None) -> Request:
    """A request whose client disconnects at an event, or never."""

    async def receive() -> Message:
        await (disconnects or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "GET", "headers": [], "path": "/"}, receive)


def test_equal_work_is_done_once(run_async: RunAsync) -> None:
    calls: list[str] = []

    def work(_: Event) -> str:
        calls.append("once")
        return "picture"

    async def main() -> list[str]:
        jobs = Jobs[str](4)
        return await asyncio.gather(*(jobs.result(request_until(), "a", work) for _ in range(20)))

    assert run_async(main()) == ["picture"] * 20
    assert calls == ["once"]


def test_jobs_run_in_a_limited_number_of_threads(run_async: RunAsync) -> None:
    full = threading.Barrier(3, timeout=PATIENCE_SECONDS)
    lock = threading.Lock()
    running: list[int] = []
    counts: list[int] = []

    def work(_: Event) -> int:
        with lock:
            running.append(1)
            counts.append(len(running))
        full.wait()  # passes when three are running; a fourth would have been counted by then
        with lock:
            running.pop()
        return 1

    async def main() -> int:
        jobs = Jobs[int](3)
        return sum(await asyncio.gather(*(jobs.result(request_until(), str(name), work) for name in range(12))))

    assert run_async(main()) == 12
    assert max(counts) == 3


def test_pictures_and_proxies_use_one_thread_per_core_at_most() -> None:
    assert pictures._jobs._threads._max_workers == CORES
    assert routes._proxy_jobs._threads._max_workers == max(CORES // 2, 1)  # FFmpeg uses two cores for a proxy


def test_a_job_is_cancelled_when_its_last_client_disconnects(run_async: RunAsync) -> None:
    begun, released, cancelled_events = threading.Event(), threading.Event(), list[Event]()

    def work(cancelled: Event) -> str:
        cancelled_events.append(cancelled)
        begun.set()
        assert released.wait(PATIENCE_SECONDS)
        return "unwanted"

    async def main() -> list[bool]:
        jobs, one_gone, both_gone = Jobs[str](1), asyncio.Event(), asyncio.Event()
        first, second = (
            asyncio.create_task(jobs.result(request_until(gone), "a", work)) for gone in (one_gone, both_gone)
        )
        await asyncio.to_thread(begun.wait)
        (cancelled,) = cancelled_events
        one_gone.set()
        with pytest.raises(ClientDisconnected):
            await first
        while_one_waits = cancelled.is_set() or second.done()
        both_gone.set()
        with pytest.raises(ClientDisconnected):
            await second
        when_none_waits = cancelled.is_set()
        released.set()
        again = await jobs.result(request_until(), "a", lambda _: "made again")
        return [while_one_waits, when_none_waits, again == "made again"]

    assert run_async(main()) == [False, True, True]


def test_a_request_joins_a_job_started_before(run_async: RunAsync) -> None:
    jobs, requested, cancelled_flags = Jobs[str](1), threading.Event(), list[bool]()

    def work(cancelled: Event) -> str:
        assert requested.wait(PATIENCE_SECONDS)
        cancelled_flags.append(cancelled.is_set())
        return "picture"

    async def main() -> str:
        result = asyncio.create_task(jobs.result(request_until(), "a", work))
        await asyncio.sleep(0)
        requested.set()
        return await result

    started = jobs.start("a", work)
    assert run_async(main()) == started.result(PATIENCE_SECONDS) == "picture"
    assert cancelled_flags == [False]


def test_a_job_started_before_goes_on_when_the_client_disconnects(run_async: RunAsync) -> None:
    jobs, begun = Jobs[str](1), threading.Event()
    is_gone = threading.Event()

    def work(cancelled: Event) -> str:
        begun.set()
        assert is_gone.wait(PATIENCE_SECONDS)
        return "cancelled" if cancelled.is_set() else "picture"

    async def main() -> None:
        gone = asyncio.Event()
        result = asyncio.create_task(jobs.result(request_until(gone), "a", work))
        await asyncio.to_thread(begun.wait)
        gone.set()
        with pytest.raises(ClientDisconnected):
            await result
        is_gone.set()

    started = jobs.start("a", work)
    run_async(main())
    assert started.result(PATIENCE_SECONDS) == "picture"


def test_errors_reach_the_request(run_async: RunAsync) -> None:
    def work(_: Event) -> str:
        raise MediaError("has no pictures")

    with pytest.raises(MediaError, match="has no pictures"):
        run_async(Jobs[str](1).result(request_until(), "a", work))


def test_errors_of_a_job_started_before_reach_the_request(run_async: RunAsync) -> None:
    requested = threading.Event()

    def work(_: Event) -> str:
        assert requested.wait(PATIENCE_SECONDS)
        raise MediaError("has no pictures")

    async def main(jobs: Jobs[str]) -> str:
        result = asyncio.create_task(jobs.result(request_until(), "a", work))
        await asyncio.sleep(0)
        requested.set()
        return await result

    jobs = Jobs[str](1)
    jobs.start("a", work)
    with pytest.raises(MediaError, match="has no pictures"):
        run_async(main(jobs))
