"""Output of benchmarks, part by part: JSON lines for programs, a table for people."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from benchmarks.costs import Account, total
from pesearch.indexer.progress_events import RunTimings


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; `bar` is the target of the figure, if there is one."""

    what: str
    figure: str
    bar: str = ""


class Finding(Protocol):
    """A measurement: a frozen dataclass."""

    @property
    def part(self) -> str:
        """The part of the benchmark that it belongs to."""

    def rows(self) -> Iterator[Row]:
        """The rows of the table."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and the models measured. `load` is the load average of the machine at the start."""

    part: str
    cpu: str
    cores: int
    threads: int
    load: float
    device: str
    torch: str
    size: str

    def rows(self) -> Iterator[Row]:
        """Device, threads, cores, and load."""
        yield Row(f"{self.size} set on {self.device}", f"{self.threads} threads, {self.cores} cores")
        yield Row("load before", f"{self.load:.1f}", "near 0")


def this_machine(device: str, size: str) -> Machine:
    """Describe this machine."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return Machine(
        part="machine",
        cpu=names[0].partition(": ")[2] if names else platform.processor(),
        cores=os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        load=os.getloadavg()[0],
        device=torch.cuda.get_device_name() if device.startswith("cuda") else "cpu",
        torch=torch.__version__,
        size=size,
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A file encoded by plain calls and by pesearch (ours); `ratio` is ours / plain in CPU-seconds, `user_ratio` in
    those outside the kernel, since the cost of allocating memory depends on the machine.

    `lowest_cosine` and `largest_event_difference` compare the results.
    """

    part: str
    media_seconds: float
    plain: Account
    ours: Account
    ratio: float
    user_ratio: float
    at_most: float
    lowest_cosine: float
    largest_event_difference: float

    def rows(self) -> Iterator[Row]:
        """CPU-seconds of the stages, and the ratio."""
        for name, account in (("plain", self.plain), ("ours", self.ours)):
            stages = ", ".join(f"{stage} {cost.cpu_seconds:.1f}" for stage, cost in account.items())
            cost = total(account)
            yield Row(f"{name} ({stages})", f"{cost.cpu_seconds:.1f} CPU-s")
            yield Row(
                f"{name}, kernel time and wall-clock time",
                f"{cost.system_seconds:.1f} CPU-s, {cost.wall_seconds:.1f} s",
            )
        yield Row(f"ours / plain, {self.media_seconds:.0f} s of media", f"{self.ratio:.3f}", f"<= {self.at_most}")
        yield Row("ours / plain outside the kernel", f"{self.user_ratio:.3f}")
        yield Row("lowest cosine between the two", f"{self.lowest_cosine:.6f}", ">= 0.9999")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The bare encoders on decoded chunks against a whole run of the indexer: wall-clock seconds, and their ratio."""

    part: str
    media: str
    media_seconds: float
    bare_seconds: float
    whole_seconds: float
    ratio: float
    at_least: float
    spent: RunTimings

    def rows(self) -> Iterator[Row]:
        yield Row(f"bare encoders, {self.media_seconds:.0f} s of {self.media}", f"{self.bare_seconds:.1f} s")
        yield Row("whole index", f"{self.whole_seconds:.1f} s")
        yield Row("bare / whole", f"{self.ratio:.3f}", f">= {self.at_least}")


@dataclass(frozen=True, slots=True)
class Memory:
    """Peak memory of `pesearch index` for a short and a long file, and their ratio."""

    part: str
    short_seconds: float
    long_seconds: float
    short_bytes: int
    long_bytes: int
    short_run_seconds: float
    long_run_seconds: float
    ratio: float
    at_most: float

    def rows(self) -> Iterator[Row]:
        for seconds, size, run in (
            (self.short_seconds, self.short_bytes, self.short_run_seconds),
            (self.long_seconds, self.long_bytes, self.long_run_seconds),
        ):
            yield Row(f"a file of {seconds / 60:.0f} min (in {run:.0f} s)", f"{size / 2**20:.0f} MiB")
        yield Row("long / short", f"{self.ratio:.3f}", f"<= {self.at_most}")


@dataclass(frozen=True, slots=True)
class RealTime:
    """How many times faster than real time a GPU indexes files of 1080p30 H.264, and what limits it.

    `decode_times` is one thread that only decodes, `encode_times` the bare encoders on decoded chunks. The GPU was busy
    for `working_share` of the run. `limit_share` is the time that the arithmetic of the encoders needs at the measured
    rate of bfloat16 matrix products, over the time of the run.
    """

    part: str
    files: int
    media_seconds: float
    index_times: float
    decode_times: float
    encode_times: float
    working_share: float
    operations: int
    matrix_rate: float
    limit_share: float
    at_least: float
    spent: RunTimings

    def rows(self) -> Iterator[Row]:
        yield Row(
            f"whole index, {self.files} files of 1080p30", f"{self.index_times:.1f} x real time", f">= {self.at_least}"
        )
        yield Row("decode alone, one thread", f"{self.decode_times:.1f} x real time")
        yield Row("encode alone", f"{self.encode_times:.1f} x real time")
        yield Row("GPU utilisation", f"{self.working_share:.3f}")
        yield Row(f"share of the arithmetic limit ({self.matrix_rate / 1e12:.0f} TFLOP/s)", f"{self.limit_share:.3f}")


def parts_of(known: Collection[str]) -> Callable[[str], list[str]]:
    """A parser for the value of `--only`: some of the known parts of a benchmark, separated by commas."""

    def read(text: str) -> list[str]:
        parts = text.split(",")
        if wrong := [part for part in parts if part not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(wrong)}: choose from {', '.join(known)}")
        return parts

    return read


def report(findings: Iterable[Finding]) -> None:
    """Print each finding as a JSON line on stdout at once, and the table on stderr at the end."""
    lines = []
    for finding in findings:
        print(json.dumps(_json(finding)), flush=True)
        lines += [f"{finding.part:9} {row.what:64} {row.figure:>22}  {row.bar}".rstrip() for row in finding.rows()]
    print(*lines, sep="\n", file=sys.stderr)


def _json(finding: Any) -> dict[str, Any]:
    rounded: dict[str, Any] = _rounded(asdict(finding))
    return rounded


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _rounded(each) for key, each in value.items()}
    return round(value, 6) if isinstance(value, float) else value
