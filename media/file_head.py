"""Opens media files, which are read by no other way than this and FFmpeg's; and one-line reasons for those that cannot.

Between the listing of a folder and the last read of a file, the file may vanish, be replaced by a FIFO or a device, or
its share may drop.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO, NoReturn

from pesearch.errors import MediaError

_HEAD_BYTES = 4096
"""Enough for every signature in `sniff`."""

_FOLDER = "a folder, not a file"


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading. Devices, FIFOs and sockets are neither opened nor waited for.

    Errors: MediaError, whose cause is the OSError.
    """
    try:
        _check_regular(path.stat().st_mode)
        file = open(path, "rb", opener=open_without_waiting)  # noqa: SIM115 - the caller closes it
    except (OSError, ValueError) as error:
        raise_unreadable(error)
    try:
        _check_regular(os.fstat(file.fileno()).st_mode)  # it may have been replaced since
    except OSError as error:
        file.close()
        raise_unreadable(error)
    except MediaError:
        file.close()
        raise
    return file


def read_head(path: Path, size_bytes: int = _HEAD_BYTES) -> bytes:
    """The first bytes of a non-empty regular file. Errors: those of `open_regular`."""
    with open_regular(path) as file:
        return head_of(file, size_bytes)


def head_of(file: BinaryIO, size_bytes: int = _HEAD_BYTES) -> bytes:
    """The first bytes of an open file, which is then at its start again. Errors: MediaError, also if it is empty."""
    try:
        head = file.read(size_bytes)
        file.seek(0)
    except OSError as error:
        raise_unreadable(error)
    if not head:
        raise MediaError("empty file (0 bytes)")
    return head


def file_status(path: Path) -> os.stat_result:
    """Size and time of a file. Errors: those of `open_regular`."""
    try:
        return path.stat()
    except (OSError, ValueError) as error:
        raise_unreadable(error)


def raise_unreadable(error: OSError | ValueError) -> NoReturn:
    """Raise a MediaError with a short reason for an error of the file system."""
    reasons = {
        errno.ENOENT: "no such file",
        errno.ENOTDIR: "no such file",
        errno.EACCES: "no permission to read it",
        errno.EPERM: "no permission to read it",
        errno.EISDIR: _FOLDER,
        errno.ELOOP: "a circular symbolic link",
        errno.EIO: "the disk cannot read it (input/output error)",
        errno.ESTALE: "its network share has dropped it (stale file handle)",
    }
    message = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    code = error.errno if isinstance(error, OSError) and error.errno else 0
    raise MediaError(reasons.get(code, f"cannot be read: {message}")) from error


def open_without_waiting(path: str | Path, flags: int) -> int:
    """A descriptor of a file; a FIFO without a writer is not waited for, and a terminal does not become that of this
    process."""
    if sys.platform == "win32":  # it has no such files, but translates line ends of text
        return os.open(path, flags | os.O_BINARY)
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _check_regular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise MediaError(_FOLDER)
    if not stat.S_ISREG(mode):
        raise MediaError("not a regular file")
