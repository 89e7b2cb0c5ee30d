"""Where the socket of a library is: in a folder that only this user can enter, under a name that is the library's."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path


class AlreadyServed(OSError):
    """Another process has this place."""


@dataclass(frozen=True, slots=True)
class Place:
    """The socket of one library: its name in a folder that is held open as `folder`, a descriptor."""

    folder: int
    name: str

    @property
    def address(self) -> str:
        """The socket by the folder held open: no other can take its place, and no path is too long (107 bytes)."""
        return f"/proc/self/fd/{self.folder}/{self.name}"

    def remove(self) -> None:
        """Takes the socket away, if there is one."""
        with suppress(FileNotFoundError):
            os.unlink(self.name, dir_fd=self.folder)


def socket_folder() -> Path:
    """`pesearch` in the user's folder for sockets ($XDG_RUNTIME_DIR); without one, a folder in that for temporary
    files."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / "pesearch"
    return Path(tempfile.gettempdir()) / f"pesearch-{os.geteuid()}"


@contextmanager
def place_of(library: Path) -> Iterator[Place]:
    """The place for a library's socket. Raises OSError where there is none, or it is not this user's alone."""
    folder = socket_folder()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
            raise PermissionError(f"{folder} is open to others: remove it")
        yield Place(descriptor, blake2b(os.fsencode(os.path.realpath(library)), digest_size=16).hexdigest())
    finally:
        os.close(descriptor)


@contextmanager
def own_place_of(library: Path) -> Iterator[Place]:
    """As `place_of`, for one process at a time. The folder is made where it is missing; AlreadyServed where another
    process has the place."""
    socket_folder().mkdir(mode=0o700, exist_ok=True)
    with place_of(library) as place:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(f"{place.name}.lock", flags, 0o600, dir_fd=place.folder)
        try:
            _lock(descriptor)
            yield place
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    """The system's own lock: it ends with its process, however that dies."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise AlreadyServed("another page answers for this library") from error
