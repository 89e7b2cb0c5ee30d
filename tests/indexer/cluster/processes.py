"""The worker processes of a Ray that this process has started, looked for in /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

WORKER = b"ray::MapWorker"


def workers() -> list[int]:
    """Process ids of the workers that embed."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = (folder / "cmdline").read_bytes()
    return [pid for pid, name in names.items() if name.startswith(WORKER) and _descends(pid, parents)]


def _descends(pid: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        if pid == os.getpid():
            return True
        pid = parents[pid]
    return False
