"""One writer and many readers, each a process: what the readers were answered is compared with a plain twin."""

from __future__ import annotations

import bisect
import multiprocessing
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np

from pesearch.errors import SnapshotExpired
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.write import compaction as merging
from pesearch.store.write import writer as writing
from tests.store.contents import SPACES, queries
from tests.store.torture import apply, change
from tests.store.twin import Twin

PROCESSES = multiprocessing.get_context("forkserver")

PAUSE_SECONDS = 0.01
"""Between two questions of a reader: eight that never pause would leave the writer no processor."""

Found = list[tuple[str, float, float]]
"""For each hit the content, the start in seconds and the score."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader was answered at one generation, each of so many times: for each space and query."""

    generation: int
    hits: list[Found]
    times: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run came to."""

    changes: int
    merges: int
    answers: int
    generations_seen: int


def write(folder: Path, stop: Event, said: Connection) -> None:
    """Change after change; in the end the generation after each."""
    merging.MAX_SMALL_SHARDS, writing.BATCHES_PER_COMPACTION = 2, 3
    library = open_library(folder)
    generations: list[int] = []
    while not stop.is_set():
        with library.writer() as writer:
            for _ in range(12):
                present = [file.fingerprint for file in library.files()]
                generations.append(apply(change(len(generations) + 1, present), writer, library))
    said.send(generations)


def read(folder: Path, stop: Event, said: Connection) -> None:
    """Ask again and again; in the end all that was seen, in its order."""
    library = open_library(folder)
    seen: list[Seen] = []
    while not stop.is_set():
        time.sleep(PAUSE_SECONDS)
        pinned = library.pinned()
        try:
            now = Seen(pinned.generation(), answers(pinned), 1)
        except SnapshotExpired:  # a reader that is late by a whole run of the writer asks again
            continue
        if seen and (seen[-1].generation, seen[-1].hits) == (now.generation, now.hits):
            seen[-1] = replace(now, times=seen[-1].times + 1)
        else:
            seen.append(now)
    said.send(seen)


def answers(library: Library | Twin) -> list[Found]:
    """The best hits of some queries in each space."""
    return [
        [(library.file(hit.file_id).fingerprint, hit.start_seconds, hit.score) for hit in hits]
        for space in SPACES
        for hits in library.search(space.name, queries(space), 10)
    ]


def run(folder: Path, readers: int, seconds: float) -> Figures:
    """Let them work beside each other for so long, then compare all that was answered. AssertionError if it differs."""
    create_library(folder, "made-up", SPACES)
    stop = PROCESSES.Event()
    pipes = [PROCESSES.Pipe(duplex=False) for _ in range(readers + 1)]
    processes = [
        PROCESSES.Process(target=read if number else write, args=(folder, stop, said))
        for number, (_, said) in enumerate(pipes)
    ]
    for process, (_, said) in zip(processes, pipes, strict=True):
        process.start()
        said.close()
    time.sleep(seconds)
    stop.set()
    generations, *seen = [hearing.recv() for hearing, _ in pipes]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)
    return compare(generations, seen)


def compare(generations: list[int], seen: list[list[Seen]]) -> Figures:
    """What each reader saw is what the twin says of that generation, and none saw an earlier one after a later."""
    expected = _expected(len(generations))
    for reader in seen:
        assert reader, "a reader was never answered"
        generations_seen = [each.generation for each in reader]
        assert generations_seen == sorted(set(generations_seen)), "an earlier one again, or one of two answers"
        for each in reader:  # a merge makes a generation of its own, and changes no answer
            _assert_same(each.hits, expected[bisect.bisect_right(generations, each.generation)])
    return Figures(
        changes=len(generations),
        merges=generations[-1] - len(generations),
        answers=sum(each.times for reader in seen for each in reader),
        generations_seen=len({each.generation for reader in seen for each in reader}),
    )


def _expected(changes: int) -> list[list[Found]]:
    """What the twin answers before the first change, and after each."""
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
