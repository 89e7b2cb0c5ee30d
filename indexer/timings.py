"""Measures the time of a run by stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from threading import Lock

from pesearch.indexer.progress_events import RunTimings


class Stage(StrEnum):
    """The stages of a run. WAIT is the time that the models wait for DECODE."""

    DECODE = "decode"
    WAIT = "wait"
    TOWER = "tower"
    CODEC = "codec"
    TRANSFORMERS = "transformers"
    COMMIT = "commit"
    INDEX = "index"


CONCURRENT_STAGES = frozenset({Stage.DECODE, Stage.COMMIT})
"""Stages that run in threads of their own: summed over threads and devices. The others are averaged over devices."""


class StageTimings:
    """Sums up the seconds of each stage over all threads, and collects warnings for the end of the run."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys(Stage, 0.0)
        self._lock = Lock()
        self.warnings: list[str] = []

    @contextmanager
    def timed(self, stage: Stage) -> Iterator[None]:
        """Adds the time spent inside the context to the stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - started)

    def add(self, stage: Stage, seconds: float) -> None:
        """Adds time to a stage. Thread-safe."""
        with self._lock:
            self._seconds[stage] += seconds

    def seconds(self, stage: Stage) -> float:
        """The time of a stage so far."""
        return self._seconds[stage]

    def summary(self, elapsed_seconds: float) -> RunTimings:
        """The event that ends a run of `elapsed_seconds`."""
        return RunTimings(
            elapsed_seconds=elapsed_seconds,
            decode_seconds=self.seconds(Stage.DECODE),
            wait_seconds=self.seconds(Stage.WAIT),
            tower_seconds=self.seconds(Stage.TOWER),
            codec_seconds=self.seconds(Stage.CODEC),
            transformers_seconds=self.seconds(Stage.TRANSFORMERS),
            commit_seconds=self.seconds(Stage.COMMIT),
            index_seconds=self.seconds(Stage.INDEX),
            warnings=tuple(self.warnings),
        )
