"""The cost model of docs/scale.md: from hours of media to work, disks, memory and money.

Measured values name their source; assumed values are in `Assumptions` and can be set.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.figures import Row
from pesearch.encoders.model_registry import ModelSetDescription
from pesearch.timeline import FRAMES_PER_SECOND, HOP_SECONDS, STEPS_PER_SECOND
from pesearch.types import SpaceName

HOURS = (1_000.0, 100_000.0, 10_000_000.0)
HOUR = 3600.0

HALF_BYTES = 2
DOUBLE_BYTES = 8
CODEC_DIM = 128

CPU_SECONDS_PER_SECOND = 261 / 20
"""Measured (README, `benchmarks.encoding`): the small set on a second of video with sound, on two CPU cores."""

MILLION_MS = 29.1
"""Measured (docs/vectors.md): a query over one million vectors of 1024 dimensions on two cores. All rows are compared:
it grows with them."""

INDEX_GIB = 264e6 / (1 << 30)
"""Memory of the compressed index of a million vectors: 256 bytes of codes and 8 of row number each."""

BUILD_SECONDS = 39.0
"""Measured (docs/vectors.md): building an index over one million vectors. It grows with the rows."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Values that were not measured here: prices in any currency, times real time on a GPU, days until done, `copies`
    of the disks, and the share of cluster hours lost to failures and waiting."""

    gpu_times: float = 100.0
    gpu_hour: float = 2.0
    cpu_hour: float = 0.04
    disk_gb_month: float = 0.02
    memory_gib_month: float = 3.0
    days: float = 30.0
    copies: float = 2.0
    use: float = 0.8


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes in a library per hour of video with sound: vectors of frames and of windows, codec features."""

    frames: float
    windows: float
    features: float

    @property
    def all(self) -> float:
        """The total."""
        return self.frames + self.windows + self.features


@dataclass(frozen=True, slots=True)
class Scale:
    """Resources for an archive of `hours` hours."""

    part: str
    hours: float
    frame_vectors: float
    window_vectors: float
    library_bytes: float
    gpu_hours: float
    gpus: float
    cpu_hours: float
    encode_cost: float
    disk_cost_month: float
    query_seconds: float
    memory_gib: float
    memory_cost_month: float
    build_hours: float

    def rows(self) -> Iterator[Row]:
        name = f"{self.hours:,.0f} h:"
        yield Row(
            f"{name} frame vectors, vectors per window space",
            f"{self.frame_vectors / 1e6:,.1f} M, {self.window_vectors / 1e6:,.2f} M",
        )
        yield Row(f"{name} library", f"{self.library_bytes / 1e12:,.2f} TB")
        yield Row(f"{name} GPUs to finish in time", f"{self.gpus:,.1f} ({self.gpu_hours:,.0f} GPU-h)")
        yield Row(f"{name} encoding on CPUs", f"{self.cpu_hours:,.0f} core-h")
        yield Row(f"{name} cost of encoding, disks per month", f"{self.encode_cost:,.0f}, {self.disk_cost_month:,.0f}")
        yield Row(f"{name} one machine: a query over the frames", f"{self.query_seconds:,.2f} s")
        yield Row(
            f"{name} one machine: memory, cost per month",
            f"{self.memory_gib:,.0f} GiB, {self.memory_cost_month:,.0f}",
        )
        yield Row(f"{name} one machine: building the frames' index", f"{self.build_hours:,.1f} h")


def bytes_an_hour(models: ModelSetDescription) -> Bytes:
    """From the layout of shards: two times per segment in float64, vectors in float16, features of 128 dimensions."""
    frame_rows, window_rows = HOUR * FRAMES_PER_SECOND, HOUR / HOP_SECONDS
    spaces = len([name for name in models.space_names if name is not SpaceName.FRAME])
    return Bytes(
        frames=frame_rows * _row_bytes(models.frames.dim),
        windows=window_rows * spaces * _row_bytes(models.windows.dim),
        features=HOUR * STEPS_PER_SECOND * CODEC_DIM * HALF_BYTES,
    )


def scale(hours: float, models: ModelSetDescription, assumed: Assumptions) -> Scale:
    """The resources of an archive."""
    spaces = len(models.space_names) - 1
    frames, windows = hours * HOUR * FRAMES_PER_SECOND, hours * HOUR / HOP_SECONDS
    gpu_hours = hours / assumed.gpu_times / assumed.use
    size = hours * bytes_an_hour(models).all
    memory = (frames + windows * spaces) / 1e6 * INDEX_GIB
    millions = frames / 1e6
    return Scale(
        part="model",
        hours=hours,
        frame_vectors=frames,
        window_vectors=windows,
        library_bytes=size,
        gpu_hours=gpu_hours,
        gpus=gpu_hours / 24 / assumed.days,
        cpu_hours=hours * CPU_SECONDS_PER_SECOND / assumed.use,
        encode_cost=gpu_hours * assumed.gpu_hour,
        disk_cost_month=size * assumed.copies / 1e9 * assumed.disk_gb_month,
        query_seconds=MILLION_MS * millions / 1e3,
        memory_gib=memory,
        memory_cost_month=memory * assumed.memory_gib_month,
        build_hours=BUILD_SECONDS * millions / HOUR,
    )


def _row_bytes(dim: int) -> int:
    return dim * HALF_BYTES + 2 * DOUBLE_BYTES
