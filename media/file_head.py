"""The first bytes of a file, and one-line reasons for unreadable files."""

from __future__ import annotations

import errno
import stat
from pathlib import Path
from typing import NoReturn

from pesearch.errors import MediaError

_HEAD_BYTES = 4096
"""Enough for every signature in `sniff`."""


def read_head(path: Path, size_bytes: int = _HEAD_BYTES) -> bytes:
    """The first bytes of a non-empty regular file. Devices, FIFOs and sockets are never opened. Errors: MediaError."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise MediaError("not a regular file")
        with path.open("rb") as file:
            head = file.read(size_bytes)
    except (OSError, ValueError) as error:
        raise_unreadable(error)
    if not head:
        raise MediaError("empty file (0 bytes)")
    return head


def raise_unreadable(error: OSError | ValueError) -> NoReturn:
    """Raise a MediaError with a short reason for an error of the file system."""
    reasons = {
        errno.ENOENT: "no such file",
        errno.EACCES: "no permission to read it",
        errno.EPERM: "no permission to read it",
        errno.EISDIR: "a folder, not a file",
        errno.ELOOP: "a circular symbolic link",
        errno.EIO: "the disk cannot read it (input/output error)",
    }
    message = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    code = error.errno if isinstance(error, OSError) and error.errno else 0
    raise MediaError(reasons.get(code, f"cannot be read: {message}")) from error
