"""Work that pages wait for: at most so much at once, the same thing once, and only while somebody waits for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event, Lock
from typing import Generic, TypeVar

from starlette.requests import Request

from pesearch.errors import PesearchError

_Made = TypeVar("_Made")

CORES = os.cpu_count() or 1

_LOOK_SECONDS = 0.25
"""How often it is looked whether a page still waits."""


class NobodyWaits(PesearchError):
    """The page that asked for this has gone."""


@dataclass(slots=True)
class _Job(Generic[_Made]):
    made: Future[_Made]
    unwanted: Event
    waiting: int = 0


class Jobs(Generic[_Made]):
    """Jobs by name, in threads of their own, first come first served."""

    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="job")
        self._jobs: dict[str, _Job[_Made]] = {}
        self._counting = Lock()

    async def result(self, request: Request, name: str, make: Callable[[Event], _Made]) -> _Made:
        """What `make` gives, which is told by its event when nobody waits any more; errors come as they are.

        Raises NobodyWaits when this request has gone.
        """
        job = self._joined(name, make)
        try:
            made = asyncio.wrap_future(job.made)
            made.add_done_callback(_seen)
            while not (await asyncio.wait({made}, timeout=_LOOK_SECONDS))[0]:
                if await request.is_disconnected():
                    raise NobodyWaits("Nobody waits for this any more.")
            return made.result()
        finally:
            self._left(name, job)

    def begin(self, name: str, make: Callable[[Event], _Made]) -> Future[_Made]:
        """Begin what a page is about to ask for, from any thread. It counts as waited for until it is made."""
        job = self._joined(name, make)
        job.made.add_done_callback(lambda _: self._left(name, job))
        return job.made

    def _joined(self, name: str, make: Callable[[Event], _Made]) -> _Job[_Made]:
        with self._counting:
            job = self._jobs.get(name) or self._submitted(name, make)
            job.waiting += 1
            return job

    def _left(self, name: str, job: _Job[_Made]) -> None:
        with self._counting:
            job.waiting -= 1
            if not job.waiting:
                job.unwanted.set()
                if self._jobs.get(name) is job:
                    del self._jobs[name]

    def _submitted(self, name: str, make: Callable[[Event], _Made]) -> _Job[_Made]:
        unwanted = Event()

        def made() -> _Made:
            if unwanted.is_set():
                raise NobodyWaits("Nobody waits for this any more.")
            return make(unwanted)

        job = self._jobs[name] = _Job(self._threads.submit(made), unwanted)
        return job


def _seen(made: asyncio.Future[_Made]) -> None:
    """An error that nobody waits for is no news."""
    if not made.cancelled():
        made.exception()
