"""Search in a space of synthetic vectors (`benchmarks.two_cones`): pesearch, a full scan by torch, and other systems.

    python -m benchmarks.vectors [--rows 1000000] [--dim 1024] [--systems ours,torch,...] [--build-limit 900]

Each system builds in one process and searches in another, so that its memory can be measured. Its files are dropped
from the page cache before it is opened. With `--folder` the builds of an earlier run are reused. For a system with a
knob the first setting that reaches the target recall counts, or the last. Systems that cannot be imported are named and
skipped (`requirements/bench.txt` lists the others).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.isolated_process import drop_from_page_cache, exit_died, peak_bytes, run_isolated
from benchmarks.kept_folder import kept_folder
from benchmarks.vector_data import CLOSENESS, SHARES, K, VectorData, make_data, read_data
from benchmarks.vector_systems import SYSTEMS, Ours, System
from pesearch.disk_usage import size_on_disk
from pesearch.types import FloatArray

MIN_RECALL = 0.98
"""Target for recall@10."""

MAX_OF_FULL_SCAN = 0.2
"""Target for the median latency, as a share of that of the full scan."""

MAX_OPEN_SECONDS = 2.0
"""Target for opening the index."""

WARM_UP_SECONDS = 30.0

BUILT = "built.json"
"""File in the folder of a system: build time and memory."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of single queries, and recall@K.

    `first_p50_ms` is the median of first-time queries, which read from disk (not for a later knob); `p50_ms` and
    `p99_ms` are of repeated ones. `close_recall` and `vague_recall` are of the queries about one shot, and of those
    mostly about other things.
    """

    first_p50_ms: float
    p50_ms: float
    p99_ms: float
    recall: float
    close_recall: float
    vague_recall: float


@dataclass(frozen=True, slots=True)
class Built:
    """Build time, and peak memory of its process."""

    seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Answered:
    """Time to open, the knob that counts, the latency with it, and peak memory of its process."""

    open_seconds: float
    knob: int | None
    latency: Latency
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A system; `of_full_scan` is its median latency relative to the scan by torch, when that was measured."""

    part: str
    system: str
    vectors: int
    dim: int
    built: Built
    answered: Answered
    size_bytes: int
    of_full_scan: float | None

    def rows(self) -> Iterator[Row]:
        ours, latency = self.system == "ours", self.answered.latency
        knob = "" if self.answered.knob is None else f" (knob {self.answered.knob})"
        yield Row(f"{self.system}{knob}: p50, p99", f"{latency.p50_ms:.2f}, {latency.p99_ms:.2f} ms")
        if self.of_full_scan is not None:
            yield Row(f"{self.system}: p50 / full scan", f"{self.of_full_scan:.3f}", f"<= {MAX_OF_FULL_SCAN}" * ours)
        yield Row(
            f"{self.system}: recall@{K} (close {latency.close_recall:.4f}, vague {latency.vague_recall:.4f})",
            f"{latency.recall:.4f}",
            f">= {MIN_RECALL}" * ours,
        )
        yield Row(f"{self.system}: p50 of first-time queries", f"{latency.first_p50_ms:.2f} ms")
        yield Row(
            f"{self.system}: open, cold", f"{self.answered.open_seconds:.2f} s", f"< {MAX_OPEN_SECONDS:.0f} s" * ours
        )
        yield Row(f"{self.system}: build, on disk", f"{self.built.seconds:.0f} s, {self.size_bytes / 2**30:.2f} GiB")
        memory = f"{self.built.peak_bytes / 2**30:.2f}, {self.answered.peak_bytes / 2**30:.2f} GiB"
        yield Row(f"{self.system}: peak memory, building and searching", memory)


@dataclass(frozen=True, slots=True)
class Filtered:
    """pesearch with a filter that keeps a share of the files."""

    part: str
    share: float
    latency: Latency

    def rows(self) -> Iterator[Row]:
        times = f"p50 {self.latency.p50_ms:.2f}, p99 {self.latency.p99_ms:.2f} ms"
        yield Row(
            f"ours, {self.share:.0%} kept ({times}): recall@{K}", f"{self.latency.recall:.4f}", f">= {MIN_RECALL}"
        )


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A system without figures, and the reason."""

    part: str
    system: str
    reason: str

    def rows(self) -> Iterator[Row]:
        yield Row(f"{self.system}: {self.reason}", "-")


def main() -> None:
    """Make the vectors, measure, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--systems", type=_systems, default=list(SYSTEMS), help=f"of {', '.join(SYSTEMS)}")
    parser.add_argument("--build-limit", type=float, default=900.0, help="maximum seconds for building a system")
    parser.add_argument("--folder", type=Path, help="keep vectors and indexes here for another run")
    arguments = parser.parse_args()
    with kept_folder(arguments.folder) as folder:
        make_data(folder, arguments.rows, arguments.dim)
        report(measure(folder, arguments.systems, arguments.build_limit))


def measure(folder: Path, systems: list[str], build_limit: float) -> Iterator[Finding]:
    """All systems one after the other; first the full scan, for comparison."""
    data = read_data(folder)
    yield this_machine("cpu", f"{len(data.vectors)} x {data.vectors.shape[1]}")
    full_scan: float | None = None
    for name in sorted(systems, key=lambda name: name != "torch"):
        own = folder / name
        if importlib.util.find_spec(SYSTEMS[name]().needs) is None:
            yield LeftOut("vectors", name, f"{SYSTEMS[name]().needs} is not installed (requirements/bench.txt)")
            continue
        built = _built_before(own) or run_isolated(_build, folder, name, limit=build_limit)
        if built is None:
            yield LeftOut("vectors", name, f"not built within {build_limit:.0f} s")
            continue
        drop_from_page_cache(own)
        answered, filtered = run_isolated(_answer, folder, name) or exit_died(name)
        p50 = answered.latency.p50_ms
        full_scan = p50 if name == "torch" else full_scan
        size = size_on_disk(own)
        share = None if full_scan is None or name == "torch" else p50 / full_scan
        rows, dim = data.vectors.shape
        yield Measured("vectors", name, rows, dim, built, answered, size, share)
        yield from filtered


def _build(folder: Path, name: str) -> Built:
    own = folder / name
    shutil.rmtree(own, ignore_errors=True)  # left by an interrupted build
    own.mkdir()
    started = time.perf_counter()
    SYSTEMS[name]().build(read_data(folder), own)
    built = Built(time.perf_counter() - started, peak_bytes())
    (own / BUILT).write_text(json.dumps(asdict(built)))
    return built


def _built_before(own: Path) -> Built | None:
    """The record of an earlier run that built this system in this folder; None without one."""
    note = own / BUILT
    return Built(**json.loads(note.read_text())) if note.exists() else None


def _answer(folder: Path, name: str) -> tuple[Answered, list[Filtered]]:
    data, system = read_data(folder), SYSTEMS[name]()
    started = time.perf_counter()
    system.open(data, folder / name)
    open_seconds = time.perf_counter() - started
    knob, latency = _first_good(system, data)
    filtered = list(_filtered(system, data)) if isinstance(system, Ours) else []
    return Answered(open_seconds, knob, latency, peak_bytes()), filtered


def _first_good(system: System, data: VectorData) -> tuple[int | None, Latency]:
    """The first knob that reaches the target, or the last."""
    for knob in system.knobs:
        latency = _latency(partial(system.search, k=K, knob=knob), data, 1.0)
        if latency.recall >= MIN_RECALL:
            break
    return knob, latency


def _filtered(system: Ours, data: VectorData) -> Iterator[Filtered]:
    for share in SHARES[1:]:
        file_ids = frozenset((np.flatnonzero(data.chosen[share]) + 1).tolist())
        search = partial(system.search, k=K, knob=None, file_ids=file_ids)
        yield Filtered("filter", share, _latency(search, data, share))


def _latency(search: Callable[[FloatArray], npt.NDArray[np.int64]], data: VectorData, share: float) -> Latency:
    """Latency of all queries in sequence, after a warm-up pass of at most WARM_UP_SECONDS."""
    cold: list[float] = []
    for question in data.questions:
        started = time.perf_counter()
        search(question)
        cold.append(time.perf_counter() - started)
        if sum(cold) > WARM_UP_SECONDS:
            break
    times, recalls = [], []
    for question, truth in zip(data.questions, data.truth[share], strict=True):
        started = time.perf_counter()
        found = search(question)
        times.append(time.perf_counter() - started)
        recalls.append(len(np.intersect1d(found, truth)) / len(truth[truth >= 0]))
    close, vague = np.array_split(np.array(recalls), len(CLOSENESS))
    p50, p99 = np.percentile(np.array(times) * 1000, [50, 99])
    first = float(np.median(cold) * 1000)
    return Latency(first, float(p50), float(p99), float(np.mean(recalls)), float(close.mean()), float(vague.mean()))


def _systems(text: str) -> list[str]:
    names = text.split(",")
    if wrong := [name for name in names if name not in SYSTEMS]:
        raise argparse.ArgumentTypeError(f"{', '.join(wrong)}: choose from {', '.join(SYSTEMS)}")
    return names


if __name__ == "__main__":
    main()
