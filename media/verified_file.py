"""Files that are opened once and checked, then read through that descriptor whatever replaces them under their paths.

Whoever can write to a folder of media can put a link there, or swap one in between a check and the next open. So a file
of a library is compared with what was indexed after it was opened, and FFmpeg, which takes names only, gets the name of
a private link to the descriptor (Linux).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from types import TracebackType

from pesearch.errors import MediaError
from pesearch.locations import Location
from pesearch.media.file_head import open_without_waiting, raise_unreadable
from pesearch.media.fingerprint import has_fingerprint
from pesearch.temporary_folder import TemporaryFolder
from pesearch.types import MediaFile

CHANGED = "changed since it was indexed: index it again"
"""The reason when a path holds another content than the library knows."""

_DESCRIPTORS = Path("/proc/self/fd")
"""Links of Linux to the open files of a process, which lead to the very file."""

_MAX_SUFFIX_LENGTH = 16

_MAX_COMPARED = 10_000
"""Files whose content was compared and that are remembered, by some 200 bytes each."""

_lock = Lock()


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An open regular file: its descriptor, its status when it was opened, and the path it was opened by.

    A context manager that closes it.
    """

    descriptor: int
    status: os.stat_result
    path: Path

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.descriptor)

    def read_at(self, offset: int, size_bytes: int) -> bytes:
        """The bytes at an offset. What reads the descriptor next, such as a copy of it, begins at the start."""
        os.lseek(self.descriptor, offset, os.SEEK_SET)
        try:
            return os.read(self.descriptor, size_bytes)
        finally:
            os.lseek(self.descriptor, 0, os.SEEK_SET)

    def __enter__(self) -> OpenFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def link(self) -> Iterator[Path]:
        """A path to this very file for programs, with the suffix of its name; on systems other than Linux its own path.

        It is the same for the same file and version, so that what is cached by path, size and time is found again.
        """
        if not _DESCRIPTORS.is_dir():
            yield self.path
            return
        name = "_".join(map(str, _version(self.status)))
        link = _link_folder() / f"{name}{_plain_suffix(self.path)}"
        with _lock:
            shared = _links.setdefault(link, _Link())
            shared.users += 1
            if shared.users == 1:
                shared.descriptor = os.dup(self.descriptor)
                link.symlink_to(f"/proc/{os.getpid()}/fd/{shared.descriptor}")
        try:
            yield link
        finally:
            with _lock:
                shared.users -= 1
                if not shared.users:
                    link.unlink(missing_ok=True)
                    os.close(shared.descriptor)
                    del _links[link]


@dataclass(slots=True)
class _Link:
    """A link in use, and the descriptor that it leads to."""

    users: int = 0
    descriptor: int = -1


_links: dict[Path, _Link] = {}

_compared: dict[tuple[object, ...], bool] = {}
"""Whether files have a content, by their version and its fingerprint."""


def open_regular(path: Path) -> OpenFile:
    """Open a regular file; devices, FIFOs and sockets are never opened. Errors: MediaError."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise MediaError("not a regular file")
        descriptor = open_without_waiting(path, os.O_RDONLY)
    except (OSError, ValueError) as error:
        raise_unreadable(error)
    opened = OpenFile(descriptor, os.fstat(descriptor), path)
    if not stat.S_ISREG(opened.status.st_mode):
        opened.close()
        raise MediaError("not a regular file")
    return opened


def open_indexed(file: MediaFile) -> OpenFile:
    """Open a file of a library at the first of its locations that still holds what was indexed.

    Errors: MediaError when all are offline, unreadable, or hold something else.
    """
    problem: MediaError | None = None
    for location in file.locations:
        try:
            opened = open_regular(location.path)
        except MediaError as error:
            problem = problem or error
            continue
        if _is_unchanged(opened, location, file.fingerprint):
            return opened
        opened.close()
        problem = MediaError(CHANGED)
    raise problem or MediaError("no such file")


@contextmanager
def indexed_path(file: MediaFile) -> Iterator[Path]:
    """A path for programs to the file that was indexed (`OpenFile.link`). Errors: those of `open_indexed`."""
    with open_indexed(file) as opened, opened.link() as path:
        yield path


def _is_unchanged(opened: OpenFile, location: Location, indexed_fingerprint: str) -> bool:
    """Whether an open file is the one that was indexed: by size, time, inode and path, which costs nothing; else by
    content, once for each version of it: links, file systems without inodes, and times that were changed alone.
    """
    if opened.status.st_size != location.size_bytes:
        return False
    if location.is_at(opened.status) and _name_of(opened) == location.path:
        return True
    version = (indexed_fingerprint, *_version(opened.status), opened.status.st_ctime_ns)
    if version not in _compared:
        with opened.link() as path:
            is_same = has_fingerprint(path, indexed_fingerprint)
        if len(_compared) >= _MAX_COMPARED:
            _compared.clear()
        _compared[version] = is_same
    return _compared[version]


def _name_of(opened: OpenFile) -> Path | None:
    """The path of an open file, all links resolved; None where the system does not say."""
    with suppress(OSError):
        return (_DESCRIPTORS / str(opened.descriptor)).readlink()
    return None


def _plain_suffix(path: Path) -> str:
    """The suffix of a name if it can be that of a media file; others are of any bytes and length."""
    suffix = path.suffix
    return suffix if suffix.isascii() and suffix[1:].isalnum() and len(suffix) <= _MAX_SUFFIX_LENGTH else ""


def _version(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@cache
def _link_folder() -> Path:
    _folders.append(TemporaryFolder())
    return Path(_folders[-1].name)


_folders: list[TemporaryFolder] = []
"""Keeps the folder, which only this user can enter, until the process ends."""
