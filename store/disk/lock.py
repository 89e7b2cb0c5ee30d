"""The writer lock: one process at a time writes to a library.

It is a lock on `writer.lock`, which the system releases when the process ends, however it ends. The content of the
file, process id and host, is only for the error message.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import LibraryBusy, LibraryError, LibraryUnavailable
from pesearch.file_lock import lock_file
from pesearch.file_owner import is_root, user_name
from pesearch.store.disk.durable import disk_errors
from pesearch.store.disk.os_errors import locks_unsupported
from pesearch.store.disk.permissions import LOCK_FILE, library_owner, locks_owner_out


@dataclass(frozen=True, slots=True)
class WriterLock:
    """The writer lock of the library in `folder`, held through an open file."""

    folder: Path
    descriptor: int

    def require(self) -> None:
        """Raises LibraryError unless the lock file in the folder is the one that is locked.

        After a move, a deletion or a restored backup it is another one, or missing: the library that is now in the
        folder may have another writer.
        """
        with disk_errors(self.folder):
            try:
                is_held = os.path.samestat(os.fstat(self.descriptor), (self.folder / LOCK_FILE).stat())
            except (FileNotFoundError, NotADirectoryError):
                is_held = False
        if not is_held:
            raise library_replaced(self.folder)


def library_replaced(folder: Path) -> LibraryError:
    """The error of a writer whose library is no longer in `folder`. What it has committed is where the library is."""
    return LibraryError(
        f"The library {folder} was moved, deleted or replaced during the command: run the command again"
    )


@contextmanager
def writer_lock(folder: Path, *, as_root: bool = False) -> Iterator[WriterLock]:
    """Hold the writer lock of the library in `folder`. With `as_root` root may write to the library of another user.

    Raises LibraryBusy, which names its holder, and LibraryUnavailable where the file system has no locks, or for root.
    """
    if is_root() and not as_root and locks_owner_out(folder):
        owner = user_name(library_owner(folder))
        raise LibraryUnavailable(
            f"The library {folder} belongs to {owner}, who could not use what root writes to it: run the command "
            "as that user"
        )
    with disk_errors(folder):
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with disk_errors(folder):
            _acquire(descriptor, folder)
        yield WriterLock(folder, descriptor)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, folder: Path) -> None:
    try:
        lock_file(descriptor)
    except BlockingIOError as error:
        holder = os.read(descriptor, 300).decode(errors="replace").strip() or "another process"
        raise LibraryBusy(f"{holder} is writing to the library {folder}: wait until it has ended") from error
    except OSError as error:
        raise locks_unsupported(folder, folder / LOCK_FILE, error.strerror or str(error)) from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"Process {os.getpid()} on {socket.gethostname()}\n".encode())
