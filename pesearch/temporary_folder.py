"""Temporary folders, which may hold the user's words and pictures: private, and deleted even after a crash.

A folder is locked as long as its process lives. The system drops the lock however the process ends, also in another
container that shares the folder for temporary files, where process ids mean nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from pesearch.file_lock import lock_file
from pesearch.file_owner import is_own

PREFIX = "pesearch-tmp-"

MIN_AGE_SECONDS = 60.0
"""Younger folders are not deleted: one that was just created is not locked yet."""

_LOCK_NAME = "pesearch.lock"
"""On Windows, the file in the folder that is locked in place of it."""


class TemporaryFolder(tempfile.TemporaryDirectory[str]):
    """A temporary folder that only this user can enter, in `parent` or where the system keeps such folders. The first
    one of a process deletes those of dead processes there."""

    def __init__(self, parent: str | None = None) -> None:
        _sweep_once(parent or tempfile.gettempdir())
        super().__init__(prefix=PREFIX, dir=parent, ignore_cleanup_errors=True)
        self._descriptor = _open_to_lock(Path(self.name))
        with suppress(OSError):  # a file system without locks, where nothing is ever swept
            lock_file(self._descriptor, shared=True)

    def cleanup(self) -> None:
        """Delete the folder."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        super().cleanup()


def sweep_temporary_folders(parent: Path) -> None:
    """Delete the temporary folders of this user's processes that have ended."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # deleted meanwhile, or locked by its process
            _delete_unlocked(folder)


@cache
def _sweep_once(parent: str) -> None:
    sweep_temporary_folders(Path(parent))


def _delete_unlocked(folder: Path) -> None:
    descriptor = _open_to_lock(folder)
    try:
        status = os.fstat(descriptor)
        if not is_own(status) or time.time() <= status.st_mtime + MIN_AGE_SECONDS:
            return
        lock_file(descriptor)
    finally:
        os.close(descriptor)  # before it is deleted, which Windows refuses for open files
    shutil.rmtree(folder)


def _open_to_lock(folder: Path) -> int:
    """A descriptor of the folder, or on Windows, where folders cannot be opened, of a file in it."""
    if sys.platform == "win32":
        return os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT)
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
