"""Work that pages wait for: at most so much at once, the same thing once, and only while somebody waits for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Generic, TypeVar

from anyio import CapacityLimiter, to_thread
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
    task: asyncio.Task[_Made]
    unwanted: Event
    waiting: int = 0


class Jobs(Generic[_Made]):
    """Jobs by name, in threads. To be used in one event loop."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._limiter: CapacityLimiter | None = None
        self._jobs: dict[str, _Job[_Made]] = {}

    async def result(self, request: Request, name: str, make: Callable[[Event], _Made]) -> _Made:
        """What `make` gives, which is told by its event when nobody waits any more; errors come as they are.

        Raises NobodyWaits when this request has gone.
        """
        job = self._jobs.get(name) or self._begin(name, make)
        job.waiting += 1
        try:
            while not (await asyncio.wait({job.task}, timeout=_LOOK_SECONDS))[0]:
                if await request.is_disconnected():
                    raise NobodyWaits("Nobody waits for this any more.")
            return job.task.result()
        finally:
            job.waiting -= 1
            if not job.waiting:
                job.unwanted.set()
                self._jobs.pop(name, None)

    def _begin(self, name: str, make: Callable[[Event], _Made]) -> _Job[_Made]:
        unwanted = Event()
        job = self._jobs[name] = _Job(asyncio.create_task(self._run(make, unwanted)), unwanted)
        job.task.add_done_callback(_seen)
        return job

    async def _run(self, make: Callable[[Event], _Made], unwanted: Event) -> _Made:
        if self._limiter is None:
            self._limiter = CapacityLimiter(self._at_once)

        def made() -> _Made:
            if unwanted.is_set():
                raise NobodyWaits("Nobody waits for this any more.")
            return make(unwanted)

        return await to_thread.run_sync(made, limiter=self._limiter, abandon_on_cancel=True)


def _seen(task: asyncio.Task[_Made]) -> None:
    """An error that nobody waits for is no news."""
    if not task.cancelled():
        task.exception()
