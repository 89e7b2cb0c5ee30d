"""Peak resident size of `pesearch index` and `pesearch events`, starter set, for a file of ten minutes and a long
one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clips import make_sparse_sound, make_video
from benchmarks.figures import Memory

SHORT_SECONDS = 600.0

WATCH = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
if done.returncode > 1:  # 1: nothing was found
    sys.exit(done.returncode)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""
"""Run from a small process: the recorded peak of a child starts at the size of the process that forked it."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of `pesearch`: its peak resident size, or that of a process that it started, and its seconds."""

    most_bytes: int
    seconds: float


def measure_memory(folder: Path, hours: float) -> Iterator[Memory]:
    """Both files have small pictures, five per second, with sound: a long one costs time, not disk."""
    long_seconds = hours * 3600
    short, long = (_index(folder, seconds) for seconds in (SHORT_SECONDS, long_seconds))
    yield _memory("memory", short, long, long_seconds)


def measure_events_memory(folder: Path, hours: float) -> Iterator[Memory]:
    """Detect three sounds in files outside any library."""
    long_seconds = hours * 3600
    short, long = (_events(folder, seconds) for seconds in (SHORT_SECONDS, long_seconds))
    yield _memory("memory", short, long, long_seconds)


def _memory(part: str, short: Run, long: Run, long_seconds: float) -> Memory:
    return Memory(
        part=part,
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
    return _run("index", clip, "--model", "starter", "--library", folder / f"library of {seconds:.0f}")


def _events(folder: Path, seconds: float) -> Run:
    sound = make_sparse_sound(folder / f"{seconds:.0f}.flac", seconds)
    return _run("events", sound, "siren", "rain", "speech", "--model", "starter", "--library", folder / "none")


def _run(*command: str | Path) -> Run:
    started = time.perf_counter()
    pesearch = (sys.executable, "-c", WATCH, sys.executable, "-m", "pesearch")
    process = subprocess.run([*pesearch, *command], check=True, stdout=subprocess.PIPE, text=True)
    return Run(int(process.stdout), time.perf_counter() - started)
