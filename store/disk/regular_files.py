"""The files of a library are regular files: a FIFO or device of a library from elsewhere would be waited for without
end."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pesearch.errors import LibraryError
from pesearch.store.disk.durable import disk_errors
from pesearch.store.disk.quarantine import quarantines

_FOLDERS = ("backup", "indexes")


def require_regular_files(folder: Path) -> None:
    """Check the files that are opened by name, links followed. Raises LibraryError, LibraryUnavailable. Shards are
    checked when they are read."""
    with disk_errors(folder):
        paths = list(_files(folder))
    for path in paths:
        with suppress(OSError):  # reported when it is read
            mode = path.stat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise LibraryError(f"{path} is not a regular file: the library {folder} cannot be used with it")


def _files(folder: Path) -> Iterator[Path]:
    for each in (folder, *(folder / name for name in _FOLDERS), *quarantines(folder)):
        with suppress(OSError):  # missing or unreadable: reported when it is needed
            yield from each.iterdir()
