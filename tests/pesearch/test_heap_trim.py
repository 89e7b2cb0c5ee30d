"""Freed memory goes back to the system."""

from __future__ import annotations

import platform
import resource
import sys
from pathlib import Path

import pytest

from pesearch.heap_trim import trim_heap


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_gaps_between_blocks_in_use_are_returned() -> None:
    """Every thirtieth block stays, so that glibc alone returns nothing."""
    blocks: list[bytes | None] = [bytes([1]) * 2000 for _ in range(20_000)]
    for at in range(len(blocks)):
        if at % 30:
            blocks[at] = None
    before = resident_bytes()
    trim_heap()
    assert before - resident_bytes() > 20 << 20
