"""Errors of the system as errors of a library: no room, or it cannot be read or written now.

None of them is damage: the files may be as they were written, on a drive that is not connected, behind a cable that is
loose, or owned by somebody else. Only their content can be damaged.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pesearch.errors import LibraryUnavailable, NoSpaceLeft

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors that mean "no more room": disk full, quota exceeded, file size limit reached."""

_PERMISSION = (
    "close the page and other programs that have the library open, or change the permissions"
    if sys.platform == "win32"  # which neither replaces nor deletes open files
    else "run the command as the owner of the library, or change the permissions"
)
_OBSTACLE = "something else has its name: rename that"
_NO_LOCKS = "files cannot be locked there: keep the library on a local drive, or mount it with locks"
_DRIVE = "check that its drive is connected and works"

_ADVICE: Mapping[int, str] = {
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: "mount its drive for writing",
    errno.EISDIR: _OBSTACLE,
    errno.ENOTDIR: _OBSTACLE,
    errno.EEXIST: _OBSTACLE,
    errno.ELOOP: _OBSTACLE,
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    errno.ENFILE: "close other programs",
    errno.ENOMEM: "close other programs",
    errno.ENOLCK: _NO_LOCKS,
    errno.ENOSYS: _NO_LOCKS,
    errno.EOPNOTSUPP: _NO_LOCKS,
    errno.ENODEV: "check its drive; a file system that cannot map files into memory cannot hold a library",
}
"""What to do about an error of the system; `_DRIVE` for all others."""


def no_space_left(folder: Path) -> NoSpaceLeft:
    """The error for a full disk. Earlier commits are not affected."""
    return NoSpaceLeft(f"No space left for the library {folder}: make room and run the command again")


def unavailable(folder: Path, path: str | Path | None, number: int | None) -> LibraryUnavailable:
    """The error for a library in `folder` when the system refuses `path` with the error `number`."""
    named = f"{_name_inside(folder, Path(path))}: " if path else ""
    reason = os.strerror(number) if number else "unknown error"
    advice = _ADVICE.get(number or 0, _DRIVE)
    return LibraryUnavailable(f"The library {folder} cannot be used: {named}{reason}: {advice}")


def _name_inside(folder: Path, path: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) and path != folder else path


def locks_unsupported(folder: Path, path: Path, reason: str) -> LibraryUnavailable:
    """The error for a file system that refuses to lock `path`."""
    return LibraryUnavailable(f"The library {folder} cannot be used: {path.name}: {reason}: {_NO_LOCKS}")


def error_number(text: str) -> int | None:
    """The system error that a message ends with; None if it names none. "No such file" is not among them."""
    return next((number for number in _numbers() if text.rstrip().endswith(f": {os.strerror(number)}")), None)


def _numbers() -> list[int]:
    return [number for number in errno.errorcode if number != errno.ENOENT]
