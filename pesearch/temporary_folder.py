"""Temporary folders, which may hold the user's words and pictures: private, and deleted even after a crash.

A folder is locked as long as its process lives. The system drops the lock however the process ends, also in another
container that shares the folder for temporary files, where process ids mean nothing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

PREFIX = "pesearch-tmp-"

MIN_AGE_SECONDS = 60.0
"""Younger folders are not deleted: one that was just created is not locked yet."""


class TemporaryFolder(tempfile.TemporaryDirectory[str]):
    """A temporary folder that only this user can enter, in `parent` or where the system keeps such folders. The first
    one of a process deletes those of dead processes there."""

    def __init__(self, parent: str | None = None) -> None:
        _sweep_once(parent or tempfile.gettempdir())
        super().__init__(prefix=PREFIX, dir=parent, ignore_cleanup_errors=True)
        self._descriptor = os.open(self.name, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):  # a file system without locks, where nothing is ever swept
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

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
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if status.st_uid == os.geteuid() and time.time() > status.st_mtime + MIN_AGE_SECONDS:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
    finally:
        os.close(descriptor)
