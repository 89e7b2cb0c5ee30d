"""Writing so that a file is either whole and durable under its name, or not there."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pesearch.errors import LibraryError, NoSpaceLeft

TEMPORARY_SUFFIX = ".new"
"""What a file is called while it is written: its name and this."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The ways in which a system says that no more fits: the disk, the user's quota, the largest file."""


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn the system's errors into `NoSpaceLeft` and `LibraryError`, one line each."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise no_space_left(folder) from error
        raise LibraryError(f"The library {folder} cannot be used: {error.strerror} ({error.filename})") from error


def no_space_left(folder: Path) -> NoSpaceLeft:
    """The error for a full disk. What was committed before stays."""
    return NoSpaceLeft(f"No space left for the library {folder}: make room and run the command again")


class DurableFile:
    """A file that is filled under another name, through `sink`, and gets its own when it is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
        self.sink: BinaryIO = self._temporary.open("wb")

    def keep(self) -> int:
        """Bring it to the disk, then give it its name. Its size in bytes."""
        self.sink.flush()
        size_bytes = os.fstat(self.sink.fileno()).st_size
        os.fsync(self.sink.fileno())
        self.sink.close()
        self._temporary.replace(self._path)
        sync_folder(self._path.parent)
        return size_bytes

    def abandon(self) -> None:
        """Leave nothing of what was not kept."""
        with suppress(OSError):  # what the disk had no room for is not wanted any more
            self.sink.close()
        self._temporary.unlink(missing_ok=True)


@contextmanager
def undone_by(undo: Callable[[], None]) -> Iterator[None]:
    """What is begun inside is undone when an error, or Ctrl-C, ends it; that goes on as it came."""
    with ExitStack() as stack:
        stack.callback(undo)
        yield
        stack.pop_all()


def write_durably(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a file that is there as a whole or, after an error, as it was before."""
    file = DurableFile(path)
    with undone_by(file.abandon):
        write(file.sink)
        file.keep()


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk: a rename is durable only after this."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
