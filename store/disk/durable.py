"""Atomic and durable writes: a file appears under its name complete, or not at all.

Every atomic write of pesearch goes through `AtomicFile`, which a test enforces.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from pesearch.store.disk.os_errors import FULL, no_space_left, unavailable

if sys.platform == "darwin":
    import fcntl

TEMPORARY_SUFFIX = ".new"
"""Suffix of a durable file while it is written. The library's only writer overwrites leftovers of a crash."""

PART_SUFFIX = ".part"
"""Suffix of any other file while it is written; the hidden name before it is unique to the process and thread."""

NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP)
"""Errors of file systems that cannot sync a folder, such as CIFS: they write names when they write files."""


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn OSError into `NoSpaceLeft` or `LibraryUnavailable`, one line each."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise no_space_left(folder) from error
        raise unavailable(folder, error.filename, error.errno) from error


class AtomicFile:
    """A file that is written under a temporary name in the same folder, then renamed to `path` in one step.

    It is filled through `sink`, or through the path `temporary`. With `durable`, `commit` syncs the content, renames,
    then syncs the folder: after a power cut the file is complete, or still the old one if `commit` had not returned.
    Without `durable` nothing is synced: for files that can be made again.
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        self._path = path
        self._durable = durable
        self._sink: BinaryIO | None = None
        self.temporary = path.with_name(path.name + TEMPORARY_SUFFIX if durable else f".{uuid4().hex}{PART_SUFFIX}")

    @property
    def sink(self) -> BinaryIO:
        """The temporary file, open for writing."""
        if self._sink is None:
            self._sink = self.temporary.open("wb")
        return self._sink

    def commit(self, path: Path | None = None) -> int:
        """Rename the file to its name, or to another `path` in the same folder. Its size in bytes."""
        with self._sink or self.temporary.open("rb") as file:
            if self._sink is not None:
                self._sink.flush()
            size_bytes = os.fstat(file.fileno()).st_size
            if self._durable:
                sync_file(file.fileno())
        target = path or self._path
        self.temporary.replace(target)
        if self._durable:
            sync_folder(target.parent)
        return size_bytes

    def abandon(self) -> None:
        """Delete the temporary file, if any. Has no effect after `commit`."""
        if self._sink is not None:
            with suppress(OSError):  # closing flushes, which a full disk refuses
                self._sink.close()
        self.temporary.unlink(missing_ok=True)


@contextmanager
def undone_by(undo: Callable[[], None]) -> Iterator[None]:
    """Call `undo` when the block ends with an exception or Ctrl-C, which then propagates."""
    with ExitStack() as stack:
        stack.callback(undo)
        yield
        stack.pop_all()


def write_atomically(path: Path, write: Callable[[BinaryIO], object], *, durable: bool) -> int:
    """Let `write` fill a file that replaces `path`; after an error `path` is as before. Its size in bytes."""
    file = AtomicFile(path, durable=durable)
    with undone_by(file.abandon):
        write(file.sink)
        return file.commit()


def write_durably(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """`write_atomically`, synced to the disk before it returns."""
    write_atomically(path, write, durable=True)


PRIVATE = 0o700
"""Mode of a folder that other users of the machine can neither list nor enter."""


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Create a folder and its missing parents with `mode`, less the umask, each durable in its own parent."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(mode, exist_ok=True)
        with suppress(PermissionError):  # a parent that may be written to but not listed cannot be opened to sync it
            sync_folder(new.parent)


def sync_file(descriptor: int) -> None:
    """Sync the content of an open file to its disk."""
    if sys.platform == "darwin":
        with suppress(OSError):  # a file system without it
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync(2) of macOS leaves the data in the cache of the drive
            return
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder, where the file system can: a rename or a new folder is durable only after this.

    On Windows, which opens no folders, this is left to the file system.
    """
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)
