"""Memory that FFmpeg's programs may take: a file of two kilobytes can claim an index of gigabytes.

`-max_alloc` bounds a single allocation, and the system the sum of them (on Linux). A demuxer that is refused memory
gives no packets, or fails, and the file is refused as damaged.
"""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from dataclasses import dataclass


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
            limit = limits.process_bytes if hard == resource.RLIM_INFINITY else min(limits.process_bytes, hard)
            resource.prlimit(pid, resource.RLIMIT_DATA, (limit, hard))
