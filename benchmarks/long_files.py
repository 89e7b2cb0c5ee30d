"""Memory: the largest resident size of `pesearch index`, starter set, for a file of ten minutes and a long one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clips import make_video
from benchmarks.figures import Memory

SHORT_SECONDS = 600.0

WATCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""
"""A process that is small itself: a child's record begins with the size of the process that it was forked from."""


@dataclass(frozen=True, slots=True)
class Run:
    """A whole `pesearch index`: its largest resident size, or that of a process it started, and its seconds."""

    most_bytes: int
    seconds: float


def measure_memory(folder: Path, hours: float) -> Iterator[Memory]:
    """Both files are small pictures, five a second, with sound: a long one costs time, not disk."""
    long_seconds = hours * 3600
    short, long = (_index(folder, seconds) for seconds in (SHORT_SECONDS, long_seconds))
    yield Memory(
        part="memory",
        short_seconds=SHORT_SECONDS,
        long_seconds=long_seconds,
        short_bytes=short.most_bytes,
        long_bytes=long.most_bytes,
        short_run_seconds=short.seconds,
        long_run_seconds=long.seconds,
        ratio=long.most_bytes / short.most_bytes,
        at_most=1.10,
    )


def _index(folder: Path, seconds: float) -> Run:
    clip = make_video(folder / f"{seconds:.0f}.mp4", seconds, size="160x90", rate=5)
    library = folder / f"library of {seconds:.0f}"
    index = (sys.executable, "-m", "pesearch", "index", clip, "--model", "starter", "--library", library)
    started = time.perf_counter()
    told = subprocess.run([sys.executable, "-c", WATCH, *index], check=True, stdout=subprocess.PIPE, text=True)
    return Run(int(told.stdout), time.perf_counter() - started)
