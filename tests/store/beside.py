"""A writer and many readers, each a process. The answers that readers got are compared with a plain twin."""

from __future__ import annotations

import bisect
import multiprocessing
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event, Semaphore
from pathlib import Path

import numpy as np

from pesearch.errors import SnapshotExpired
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.write import compaction
from pesearch.store.write import writer as writer_module
from tests.store.changes import apply, change
from tests.store.contents import SPACES, queries
from tests.store.twin import Twin

PROCESSES = multiprocessing.get_context("forkserver")

PAUSE_SECONDS = 0.01
"""Pause of a reader between searches: eight readers without pauses would starve the writer."""

ENOUGH = 4
"""A run lasts at least until the writer has made, and each reader has seen, this number of generations."""

Found = list[tuple[str, float, float]]
"""For each hit: content, start in seconds, score."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The answer that a reader got at one generation, `times` times: hits for each space and query."""

    generation: int
    hits: list[Found]
    times: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of a run."""

    changes: int
    merges: int
    answers: int
    generations_seen: int


def write(folder: Path, stop: Event, enough: Semaphore, results: Connection) -> None:
    """Make changes until stopped, then send the generation after each."""
    compaction.MAX_SMALL_SHARDS, writer_module.BATCHES_PER_COMPACTION = 2, 3
    library = open_library(folder)
    generations: list[int] = []
    while not stop.is_set():
        with library.writer() as writer:
            for _ in range(12):
                present = [file.fingerprint for file in library.files()]
                generations.append(apply(change(len(generations) + 1, present), writer, library))
                if len(generations) == ENOUGH:
                    enough.release()
    results.send(generations)


def read(folder: Path, stop: Event, enough: Semaphore, results: Connection) -> None:
    """Search until stopped, then send all answers in order."""
    library = open_library(folder)
    seen: list[Seen] = []
    while not stop.is_set():
        time.sleep(PAUSE_SECONDS)
        pinned = library.pinned()
        try:
            now = Seen(pinned.generation(), answers(pinned), 1)
        except SnapshotExpired:  # the writer was faster by a whole run
            continue
        if seen and (seen[-1].generation, seen[-1].hits) == (now.generation, now.hits):
            seen[-1] = replace(now, times=seen[-1].times + 1)
        else:
            seen.append(now)
            if len(seen) == ENOUGH:
                enough.release()
    results.send(seen)


def answers(library: Library | Twin) -> list[Found]:
    """The 10 best hits of each query in each space."""
    return [
        [(library.file(hit.file_id).fingerprint, hit.start_seconds, hit.score) for hit in hits]
        for space in SPACES
        for hits in library.search(space.name, queries(space), 10)
    ]


def run(folder: Path, readers: int, seconds: float) -> Figures:
    """Run a writer and readers for at least `seconds`, then compare all answers. AssertionError if one is wrong."""
    create_library(folder, "made-up", SPACES)
    stop, enough = PROCESSES.Event(), PROCESSES.Semaphore(0)
    pipes = [PROCESSES.Pipe(duplex=False) for _ in range(readers + 1)]
    processes = [
        PROCESSES.Process(target=read if number else write, args=(folder, stop, enough, results))
        for number, (_, results) in enumerate(pipes)
    ]
    for process, (_, results) in zip(processes, pipes, strict=True):
        process.start()
        results.close()
    time.sleep(seconds)
    for _ in processes:
        assert enough.acquire(timeout=300), "a process did nothing"
    stop.set()
    generations, *seen = [received.recv() for received, _ in pipes]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)
    return compare(generations, seen)


def compare(generations: list[int], seen: list[list[Seen]]) -> Figures:
    """Each reader got the answers of the twin at that generation, and never an earlier generation after a later one."""
    expected = _expected(len(generations))
    for reader in seen:
        assert reader, "a reader got no answer"
        generations_seen = [each.generation for each in reader]
        assert generations_seen == sorted(set(generations_seen)), "a generation came again, or had two answers"
        for each in reader:  # a compaction is a generation too, and changes no answer
            _assert_same(each.hits, expected[bisect.bisect_right(generations, each.generation)])
    return Figures(
        changes=len(generations),
        merges=generations[-1] - len(generations),
        answers=sum(each.times for reader in seen for each in reader),
        generations_seen=len({each.generation for reader in seen for each in reader}),
    )


def _expected(changes: int) -> list[list[Found]]:
    """The answers of the twin before the first change, and after each."""
    twin = Twin()
    expected = [answers(twin)]
    for number in range(1, changes + 1):
        apply(change(number, [file.fingerprint for file in twin.files()]), twin, twin)
        expected.append(answers(twin))
    return expected


def _assert_same(ours: list[Found], twins: list[Found]) -> None:
    for hits, expected in zip(ours, twins, strict=True):
        assert [hit[:2] for hit in hits] == [hit[:2] for hit in expected]
        np.testing.assert_allclose([hit[2] for hit in hits], [hit[2] for hit in expected], 1e-5)
