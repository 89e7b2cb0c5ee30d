"""Which file of a library lies at a path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.types import MediaFile

if TYPE_CHECKING:
    from pesearch.store.library import Library


class IndexedFiles:
    """The files of a library by every path at which they are known, as it is now."""

    def __init__(self, library: Library) -> None:
        self._by_path = {place.path: file for file in library.files() for place in file.locations}

    def at(self, path: Path) -> MediaFile | None:
        """The file at a path, or where the path leads."""
        return self._by_path.get(path.absolute()) or self._by_path.get(path.resolve())
