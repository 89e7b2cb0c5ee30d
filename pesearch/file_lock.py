"""Locks on open files. The system releases a lock when its process ends, however it ends.

On Linux and macOS this is flock(2). On Windows it is a locked byte far behind the content, because what is locked there
cannot be read by others.
"""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCKED_POSITION = 1 << 30
"""Position of the byte that is locked on Windows. No file that is locked is that long."""


def lock_file(descriptor: int, *, shared: bool = False) -> None:
    """Lock an open file until it is closed, without waiting. With `shared`, others may share the lock (on Windows not).

    Raises BlockingIOError if another process or another open file holds the lock, OSError if the file system has no
    locks.
    """
    if sys.platform == "win32":
        os.lseek(descriptor, LOCKED_POSITION, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(error.errno, error.strerror) from error
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
