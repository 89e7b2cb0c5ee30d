"""Background work for requests: bounded threads, equal work done once, cancelled when no request waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event, Lock
from typing import Generic, TypeVar

from starlette.requests import Request

from pesearch.cpu_count import usable_cpus
from pesearch.errors import PesearchError

_Result = TypeVar("_Result")

CORES = usable_cpus()

_POLL_SECONDS = 0.25
"""Interval of checks that a waiting client is still connected."""


class ClientDisconnected(PesearchError):
    """The client disconnected while its request was waiting."""


@dataclass(slots=True)
class _Job(Generic[_Result]):
    future: Future[_Result]
    cancelled: Event
    waiting: int = 0


class Jobs(Generic[_Result]):
    """Jobs by name, in threads of their own, first come first served."""

    def __init__(self, max_threads: int) -> None:
        self._threads = ThreadPoolExecutor(max_threads, thread_name_prefix="job")
        self._jobs: dict[str, _Job[_Result]] = {}
        self._lock = Lock()

    async def result(self, request: Request, name: str, work: Callable[[Event], _Result]) -> _Result:
        """The result of the job `name`, which runs `work` unless it is already running.

        The event that `work` gets is set when no request waits for it any more. Raises the errors of `work`, and
        ClientDisconnected when the client of this request disconnects.
        """
        job = self._join(name, work)
        try:
            future = asyncio.wrap_future(job.future)
            future.add_done_callback(_retrieve_exception)
            while not (await asyncio.wait({future}, timeout=_POLL_SECONDS))[0]:
                if await request.is_disconnected():
                    raise ClientDisconnected("The client disconnected.")
            return future.result()
        finally:
            self._leave(name, job)

    def start(self, name: str, work: Callable[[Event], _Result]) -> Future[_Result]:
        """Start a job before it is requested, from any thread. It counts as waited for until it is done."""
        job = self._join(name, work)
        job.future.add_done_callback(lambda _: self._leave(name, job))
        return job.future

    def _join(self, name: str, work: Callable[[Event], _Result]) -> _Job[_Result]:
        with self._lock:
            job = self._jobs.get(name) or self._submit(name, work)
            job.waiting += 1
            return job

    def _leave(self, name: str, job: _Job[_Result]) -> None:
        with self._lock:
            job.waiting -= 1
            if not job.waiting:
                job.cancelled.set()
                if self._jobs.get(name) is job:
                    del self._jobs[name]

    def _submit(self, name: str, work: Callable[[Event], _Result]) -> _Job[_Result]:
        cancelled = Event()

        def run() -> _Result:
            if cancelled.is_set():
                raise ClientDisconnected("The client disconnected.")
            return work(cancelled)

        job = self._jobs[name] = _Job(self._threads.submit(run), cancelled)
        return job


def _retrieve_exception(future: asyncio.Future[_Result]) -> None:
    """Keep asyncio from logging an exception that no request waits for."""
    if not future.cancelled():
        future.exception()
