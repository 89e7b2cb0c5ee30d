"""Memory that FFmpeg's programs and decoders of pictures may take: a file of two kilobytes can claim gigabytes.

FFmpeg's `-max_alloc` bounds a single allocation, and the system the sum of them, on Linux only: macOS does not count
memory for RLIMIT_DATA, and Windows has no such limit. A demuxer that is refused memory gives no packets, or fails, and
the file is refused as damaged.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

if sys.platform == "linux":
    import resource


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """Of one process, in bytes: its largest allocation, and all that it reserves (proc(5), VmData)."""

    allocation_bytes: int
    process_bytes: int


LIMITS = {
    "ffprobe": MemoryLimits(192 << 20, 1 << 30),
    "ffmpeg": MemoryLimits(384 << 20, 4 << 30),
}
"""By program. FFmpeg's index takes 24 bytes a frame: 192 MiB are 38 hours at 60 frames a second. A
film of 24 hours takes 420 MB in all. A packet or plane of
8192x4320 pixels with four channels of 16 bits takes 270 MiB, a decoder of 8K HEVC up to 17 pictures."""

STILL_LIMITS = MemoryLimits(1 << 30, 4 << 30)
"""Of a picture: 150 million pixels of three channels with 16 bits."""


def limit_process(pid: int, limits: MemoryLimits) -> None:
    """Limit what a process that was just started may reserve; where the system cannot, nothing is done."""
    if sys.platform == "linux":
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
            resource.prlimit(pid, resource.RLIMIT_DATA, (_at_most(hard, limits.process_bytes), hard))


def limit_this_process(size_bytes: int) -> None:
    """Let the system refuse this process more than `size_bytes` beyond what it has reserved so far, where it can."""
    if sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (_at_most(hard, _reserved_bytes() + size_bytes), hard))


if sys.platform == "linux":

    def _at_most(hard: int, limit: int) -> int:
        return limit if hard == resource.RLIM_INFINITY else min(limit, hard)

    def _reserved_bytes() -> int:
        """What counts for the limit: proc(5), VmData. Where /proc is missing a usual value."""
        try:
            status = Path("/proc/self/status").read_text("ascii")
        except OSError:
            return 200_000_000
        return int(status.partition("VmData:")[2].split()[0]) * 1024
