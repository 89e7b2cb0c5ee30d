"""Lookup of library files by path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.types import MediaFile

if TYPE_CHECKING:
    from pesearch.store.library import Library


class IndexedFiles:
    """The files of a library snapshot by each of their known paths."""

    def __init__(self, library: Library) -> None:
        self._by_path = {place.path: file for file in library.files() for place in file.locations}

    def find(self, path: Path) -> MediaFile | None:
        """The file at `path`, or at the target if it is a link; None if it is not in the library."""
        return self._by_path.get(path.absolute()) or self._by_path.get(path.resolve())
