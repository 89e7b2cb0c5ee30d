"""The generation file: the last generation of the catalogue, readable without opening the catalogue.

It is written after the commit. If that fails, readers of an older generation keep it until the next writer starts; new
readers read the catalogue, which decides.
"""

from __future__ import annotations

from pathlib import Path

from pesearch.errors import LibraryDamaged
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.disk.durable import disk_errors, write_durably

GENERATION_FILE = "generation"


def read_stamp(folder: Path) -> str:
    """The content of the generation file, `GENERATION LIBRARY_ID`; empty if there is no such file.

    Raises LibraryUnavailable when it cannot be read.
    """
    with disk_errors(folder):
        try:
            return (folder / GENERATION_FILE).read_text("utf-8", "replace").strip()
        except FileNotFoundError:
            return ""


def read_library_id(folder: Path) -> str:
    """The id of the library in `folder` by its generation file; empty if there is none."""
    return read_stamp(folder).partition(" ")[2]


def count_lost_commits(stamp: str, snapshot: Snapshot) -> int:
    """The number of commits that a catalogue lost since `stamp`, which must have been read before the snapshot."""
    number, _, library_id = stamp.partition(" ")
    return max(int(number) - snapshot.generation, 0) if library_id == snapshot.library_id and number.isdecimal() else 0


def require_last_commit(folder: Path, stamp: str, snapshot: Snapshot) -> None:
    """Raises LibraryDamaged if the catalogue of the library in `folder` lost commits since `stamp`."""
    if lost := count_lost_commits(stamp, snapshot):
        raise LibraryDamaged(
            f"The last {lost} commits of the library {folder} are missing: run `pesearch doctor --repair`"
        )


def write_stamp(folder: Path, stamp: str) -> None:
    """Replace the generation file, durably."""
    write_durably(folder / GENERATION_FILE, lambda sink: sink.write(f"{stamp}\n".encode()))
