"""The first bytes of a file, and why a file cannot be read."""

from __future__ import annotations

import errno
import stat
from pathlib import Path
from typing import NoReturn

from pesearch.errors import MediaError

_HEAD_BYTES = 4096


def read_head(path: Path, size_bytes: int = _HEAD_BYTES) -> bytes:
    """The first bytes of a regular file that is not empty. Devices, FIFOs and sockets are never opened."""
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
    """Turn what the system says about a file into one short reason."""
    reasons = {
        errno.ENOENT: "no such file: it has vanished",
        errno.EACCES: "no permission to read it",
        errno.EPERM: "no permission to read it",
        errno.EISDIR: "a folder, not a file",
        errno.ELOOP: "a link that leads back to itself",
        errno.EIO: "the disk cannot read it (input/output error)",
    }
    told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    code = error.errno if isinstance(error, OSError) and error.errno else 0
    raise MediaError(reasons.get(code, f"cannot be read: {told}")) from error
