"""Costs of a piece of work: CPU-seconds of this process and wall-clock seconds, by stage of the indexer."""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from pesearch.indexer.timings import Stage, StageTimings


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu_seconds` of all threads of this process, `wall_seconds` on the clock.

    `system_seconds` is the part of `cpu_seconds` spent in the kernel, such as for allocating large tensors.
    """

    cpu_seconds: float = 0.0
    system_seconds: float = 0.0
    wall_seconds: float = 0.0

    @property
    def user_seconds(self) -> float:
        """CPU-seconds outside the kernel."""
        return self.cpu_seconds - self.system_seconds

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.cpu_seconds + other.cpu_seconds,
            self.system_seconds + other.system_seconds,
            self.wall_seconds + other.wall_seconds,
        )

    def __sub__(self, other: Cost) -> Cost:
        return self + Cost(-other.cpu_seconds, -other.system_seconds, -other.wall_seconds)


Result = TypeVar("Result")

Account = Mapping[Stage, Cost]


def total(account: Account) -> Cost:
    """All stages together."""
    return sum(account.values(), Cost())


class Meter(StageTimings):
    """Adds up costs by stage. A nested stage does not count for the outer one. For a single thread.

    It replaces the indexer's own timings, so that `encode` fills it in.
    """

    def __init__(self) -> None:
        super().__init__()
        self._costs: defaultdict[Stage, Cost] = defaultdict(Cost)
        self._open: list[Stage] = []
        self._since = Cost()

    @contextmanager
    def timed(self, stage: Stage) -> Iterator[None]:
        """Count the time inside the context as this stage."""
        self._turn()
        self._open.append(stage)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def watch(self, module: Any, stage: Stage) -> None:
        """Count each later call of the module as this stage."""
        forward = module.forward

        def timed(*inputs: Any, **options: Any) -> Any:
            with self.timed(stage):
                return forward(*inputs, **options)

        module.forward = timed

    def take(self) -> Account:
        """The costs so far; resets them."""
        taken, self._costs = dict(self._costs), defaultdict(Cost)
        return taken

    def _turn(self) -> None:
        """Add the time since the last call to the innermost stage."""
        now = spent_so_far()
        if self._open:
            self._costs[self._open[-1]] += now - self._since
        self._since = now


def wall_seconds(work: Callable[[], Result]) -> tuple[float, Result]:
    """The wall-clock seconds of some work, and its result."""
    started = spent_so_far().wall_seconds
    result = work()
    return spent_so_far().wall_seconds - started, result


def spent_so_far() -> Cost:
    """CPU and wall-clock time of this process so far; waits for a GPU first."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_stime, time.perf_counter())


def children_cpu_seconds() -> float:
    """User and system time so far of the programs that this process has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
