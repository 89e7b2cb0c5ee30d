"""One generation of a library in memory, and the small file that tells which generation is the last.

The file is written after the commit. Should that fail, a reader that holds an older generation keeps it until the
next writer starts; a reader that starts anew reads the catalogue, which is the truth.
"""

from __future__ import annotations

import threading
from pathlib import Path

from pesearch.store.disk import write_durably
from pesearch.store.index_cache import OpenCaches
from pesearch.store.rows import map_rows
from pesearch.store.snapshot import Snapshot
from pesearch.store.vectors import VectorIndex, is_large, open_index
from pesearch.types import Space, SpaceName

GENERATION_FILE = "generation"


class Generation:
    """A snapshot of the catalogue with the indexes over its vectors, each opened when it is first asked for."""

    def __init__(self, folder: Path, snapshot: Snapshot, caches: OpenCaches) -> None:
        self.snapshot = snapshot
        self._folder = folder
        self._caches = caches
        self._indexes: dict[SpaceName, VectorIndex] = {}
        self._opening = threading.Lock()

    def index(self, space: Space) -> VectorIndex:
        """The index of one space. `FileNotFoundError` when this generation is past and a shard of it was swept."""
        with self._opening:
            held = self._indexes.get(space.name)
            rows = map_rows(self._folder, self.snapshot, space) if held is None else held.rows
            compressed = self._caches.index(self.snapshot.birth, space) if is_large(space, rows.layout) else None
            if held is None or held.compressed is not compressed:
                held = self._indexes[space.name] = open_index(rows, compressed)
            return held


def read_stamp(folder: Path) -> str:
    """What the generation file holds: generation and birth of the library, or nothing when there is no such file."""
    try:
        return (folder / GENERATION_FILE).read_text("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""


def lost_commits(stamp: str, snapshot: Snapshot) -> int:
    """How many commits the catalogue has lost since this stamp, which was read before it; they are announced after."""
    number, _, birth = stamp.partition(" ")
    return max(int(number) - snapshot.generation, 0) if birth == snapshot.birth and number.isdecimal() else 0


def write_stamp(folder: Path, stamp: str) -> None:
    """Replace the generation file in one step."""
    write_durably(folder / GENERATION_FILE, lambda sink: sink.write(f"{stamp}\n".encode()))
