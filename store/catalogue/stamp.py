"""The generation file: which generation of the catalogue is the last, readable without opening the catalogue.

The file is written after the commit. If that fails, a reader that holds an older generation keeps it until the next
writer starts; a new reader reads the catalogue, which is the truth.
"""

from __future__ import annotations

from pathlib import Path

from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.disk.durable import write_durably

GENERATION_FILE = "generation"


def read_stamp(folder: Path) -> str:
    """What the generation file holds: generation and birth of the library, or nothing when there is no such file."""
    try:
        return (folder / GENERATION_FILE).read_text("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""


def library_id_of(folder: Path) -> str:
    """What tells the library in `folder` from every other, as far as its generation file says; else nothing."""
    return read_stamp(folder).partition(" ")[2]


def lost_commits(stamp: str, snapshot: Snapshot) -> int:
    """How many commits the catalogue has lost since this stamp, which was read before it; they are announced after."""
    number, _, library_id = stamp.partition(" ")
    return max(int(number) - snapshot.generation, 0) if library_id == snapshot.library_id and number.isdecimal() else 0


def write_stamp(folder: Path, stamp: str) -> None:
    """Replace the generation file in one step."""
    write_durably(folder / GENERATION_FILE, lambda sink: sink.write(f"{stamp}\n".encode()))
