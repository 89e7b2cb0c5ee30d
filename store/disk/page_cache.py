"""What the system keeps of files in memory: advice for memory-mapped files. Windows takes none, and decides itself."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from mmap import mmap
from pathlib import Path

if sys.platform != "win32":
    from mmap import MADV_NORMAL, MADV_RANDOM, MADV_WILLNEED


def read_ahead(content: mmap, start: int, size_bytes: int) -> None:
    """Start to read a part of a mapped file, instead of a page fault at a time. `start` is at a page."""
    if sys.platform != "win32":
        content.madvise(MADV_WILLNEED, start, size_bytes)


def read_single_pages(content: mmap) -> None:
    """Let page faults of a mapped file read no neighbours, until `read_neighbours`."""
    if sys.platform != "win32":
        content.madvise(MADV_RANDOM)


def read_neighbours(content: mmap) -> None:
    """Let page faults of a mapped file read neighbours too, as they do by default."""
    if sys.platform != "win32":
        content.madvise(MADV_NORMAL)


def drop_from_memory(path: Path) -> None:
    """Let the next read of a file come from the disk, on Linux."""
    if sys.platform == "linux":
        with suppress(OSError), path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
