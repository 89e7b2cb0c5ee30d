"""Who owns a library, and who can read it."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from pesearch.file_owner import ROOT, current_user, has_mode
from pesearch.store.disk.durable import disk_errors

LOCK_FILE = "writer.lock"
"""Made with a library, by its owner, and never replaced."""

_ENTER, _READ = stat.S_IXOTH, stat.S_IROTH


def is_open_to_others(folder: Path) -> bool:
    """Whether the mode of a folder, and of all above it, lets any user of the machine list or enter it.

    A folder that is open to its group alone was shared on purpose. Raises OSError.
    """
    real = folder.resolve()
    return has_mode(real.stat(), _ENTER | _READ) and all(has_mode(parent.stat(), _ENTER) for parent in real.parents)


def library_owner(folder: Path) -> int:
    """The user whose library is in a folder. A folder of root may be the library of another: a drive's first folder, or
    one that an administrator made. Raises LibraryUnavailable."""
    lock = folder / LOCK_FILE
    with disk_errors(folder):
        owner = folder.stat().st_uid
        return lock.stat().st_uid if owner == ROOT and lock.exists() else owner


def locks_owner_out(folder: Path) -> bool:
    """Whether files that this process creates in a library would belong to another user than the library does, who
    could then not write them: as with `sudo`, or as root in a container. False on file systems without owners, and
    where this process can create none. Raises LibraryUnavailable, NoSpaceLeft."""
    owner, user = library_owner(folder), current_user()
    if user is None or user == owner or not os.access(folder, os.W_OK):
        return False
    with disk_errors(folder), tempfile.TemporaryFile(dir=folder) as probe:
        return os.fstat(probe.fileno()).st_uid != owner


def may_write(folder: Path) -> bool:
    """Whether this process can create files in a folder that its owner can use. Raises LibraryUnavailable."""
    return os.access(folder, os.W_OK) and not locks_owner_out(folder)
