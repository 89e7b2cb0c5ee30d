"""Where the time of a run goes, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from threading import Lock

from pesearch.indexer.progress_events import Spent


class Stage(StrEnum):
    """What is done with files. DECODE runs in threads beside the others, COMMIT in one."""

    DECODE = "decode"
    WAIT = "wait"
    TOWER = "tower"
    CODEC = "codec"
    TRANSFORMERS = "transformers"
    COMMIT = "commit"
    INDEX = "index"


BESIDE = frozenset({Stage.DECODE, Stage.COMMIT})
"""Stages that are added up over threads and devices; of the others the mean over the devices is told."""


class StageTimings:
    """Adds up the seconds of each stage, over all threads, and keeps the troubles to tell of."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys(Stage, 0.0)
        self._adding = Lock()
        self.troubles: list[str] = []

    @contextmanager
    def timed(self, stage: Stage) -> Iterator[None]:
        """What is done inside belongs to this stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - started)

    def add(self, stage: Stage, seconds: float) -> None:
        """So much more time for a stage."""
        with self._adding:
            self._seconds[stage] += seconds

    def seconds(self, stage: Stage) -> float:
        """How long a stage has taken so far."""
        return self._seconds[stage]


def spent(stages: StageTimings, elapsed_seconds: float) -> Spent:
    """The account of a run."""
    return Spent(
        elapsed_seconds=elapsed_seconds,
        decode_seconds=stages.seconds(Stage.DECODE),
        wait_seconds=stages.seconds(Stage.WAIT),
        tower_seconds=stages.seconds(Stage.TOWER),
        codec_seconds=stages.seconds(Stage.CODEC),
        transformers_seconds=stages.seconds(Stage.TRANSFORMERS),
        commit_seconds=stages.seconds(Stage.COMMIT),
        index_seconds=stages.seconds(Stage.INDEX),
        troubles=tuple(stages.troubles),
    )
