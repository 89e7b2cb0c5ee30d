"""The files of the catalogue in the folder of a library, and what a folder without a catalogue is."""

from __future__ import annotations

from pathlib import Path

from pesearch.errors import LibraryDamaged, LibraryNotFound
from pesearch.store.shards.format import find_strays

CATALOGUE_FILE = "library.duckdb"

LOG_FILE = CATALOGUE_FILE + ".wal"
"""DuckDB's write-ahead log: commits that are not in the catalogue file yet."""

BACKUP_FOLDER = "backup"
"""The folder of the copy of the catalogue that `pesearch doctor --repair` uses."""


def missing_catalogue(folder: Path) -> LibraryNotFound | LibraryDamaged:
    """The error for a folder without a catalogue: no library, or one that has lost its catalogue."""
    if (folder / BACKUP_FOLDER / CATALOGUE_FILE).exists():
        return LibraryDamaged(f"The catalogue of the library {folder} is missing: run `pesearch doctor --repair`")
    if find_strays(folder, ()):
        return LibraryDamaged(
            f"{folder} holds a library without its catalogue {CATALOGUE_FILE}: restore that, run `pesearch doctor "
            f"--repair`, or delete {folder}"
        )
    return LibraryNotFound(f"No library in {folder}: create one with `pesearch index PATH`")
