"""The socket of a library: its name is derived from the library, in a folder that only this user can enter."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from pesearch.file_lock import lock_file
from pesearch.file_owner import current_user, has_mode, is_own
from pesearch.locations import is_folder
from pesearch.search.server.unix_sockets import socket_address


class AlreadyServed(OSError):
    """Another process serves this library."""


@dataclass(frozen=True, slots=True)
class SocketPath:
    """The name of a library's socket, its folder, and the open descriptor of that."""

    folder: Path
    folder_descriptor: int
    name: str

    @property
    def address(self) -> str:
        """The address to bind or connect a Unix socket to, while the folder is open."""
        return socket_address(self.folder, self.folder_descriptor, self.name)

    def remove(self) -> None:
        """Deletes the socket if it exists."""
        with suppress(FileNotFoundError):
            os.unlink(self.name, dir_fd=self.folder_descriptor)


def socket_folder() -> Path:
    """`pesearch` in $XDG_RUNTIME_DIR; without that, a folder of this user in the folder for temporary files."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and is_folder(Path(runtime)):
        return Path(runtime) / "pesearch"
    return Path(tempfile.gettempdir()) / f"pesearch-{current_user()}"


@contextmanager
def open_socket_path(library: Path) -> Iterator[SocketPath]:
    """The socket path of a library, for clients.

    Raises OSError if the folder for sockets is missing, or other users can enter it.
    """
    if sys.platform == "win32":
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    folder = socket_folder()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if not is_own(status) or has_mode(status, 0o077):
            raise PermissionError(f"{folder} is open to other users: remove it")
        yield SocketPath(
            folder, descriptor, blake2b(os.fsencode(os.path.realpath(library)), digest_size=16).hexdigest()
        )
    finally:
        os.close(descriptor)


@contextmanager
def claim_socket_path(library: Path) -> Iterator[SocketPath]:
    """Claims the socket path of a library for the one process that serves it; creates the folder if missing.

    Raises AlreadyServed if another process has claimed it, else as `open_socket_path`.
    """
    if sys.platform == "win32":
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    socket_folder().mkdir(mode=0o700, exist_ok=True)
    with open_socket_path(library) as path:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(f"{path.name}.lock", flags, 0o600, dir_fd=path.folder_descriptor)
        try:
            _lock(descriptor)
            yield path
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        lock_file(descriptor)
    except BlockingIOError as error:
        raise AlreadyServed("another page answers queries of this library") from error
