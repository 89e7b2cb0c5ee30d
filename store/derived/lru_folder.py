"""LRU caches of derived files in the library's folder: thumbnails, proxies that a browser can play, archives of clips.

All files can be made again, so they may be deleted at any time and are not synced. The least recently used are evicted
first. A read-only folder or a full disk is not an error.
"""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pesearch.store.disk.durable import AtomicFile, undone_by

THUMBNAIL_FOLDER = "thumbnails"
PROXY_FOLDER = "proxies"
CLIPS_FOLDER = "clips"

_LEFT_AFTER_SWEEP = 0.8
"""Share of `max_bytes` that a sweep leaves, so that a full folder is not swept for each new file."""


_OWN_NAME = re.compile(r"\.?[0-9a-f]{16}")
"""The beginning of every name: a fingerprint, a random number, or that of an unfinished file."""


class LruFolder:
    """A folder with at most `max_bytes` of files. Safe to share among threads and processes."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._used_bytes: int | None = None
        self._counting = threading.Lock()

    def path(self, name: str) -> Path | None:
        """The path of a file, marked as used now; None if it does not exist or is empty, as after a crash."""
        path = self.folder / name
        try:
            if not path.stat().st_size:
                return None
        except OSError:  # missing or unreadable: it is made again
            return None
        with suppress(OSError):  # read-only: the order of use stays
            os.utime(path)
        return path

    def read(self, name: str) -> bytes | None:
        """The content of a file; None if it does not exist or is empty."""
        try:
            return (self.folder / name).read_bytes() or None
        except OSError:
            return None

    def add(self, name: str, write: Callable[[Path], object]) -> Path:
        """Let `write` fill a new file, given its temporary path, then keep it as `name`. Its path.

        Raises OSError, and what `write` raises.
        """
        self.folder.mkdir(exist_ok=True)
        file = AtomicFile(self.folder / name, durable=False)
        with undone_by(file.abandon):
            write(file.temporary)
            size_bytes = file.commit()
        self.make_room(size_bytes)
        return self.folder / name

    def keep(self, name: str, content: bytes) -> None:
        """Keep `content` as `name`, if the disk allows it."""
        with suppress(OSError):
            self.add(name, lambda path: path.write_bytes(content))

    def make_room(self, new_bytes: int) -> None:
        """Count `new_bytes` that were added; over the limit, delete the least recently used files."""
        with self._counting:
            if self._used_bytes is not None:
                self._used_bytes += new_bytes
                if self._used_bytes <= self._max_bytes:
                    return
            found = sorted(_files(self.folder))
            used_bytes = sum(size for _, size, _ in found)
            if used_bytes > self._max_bytes:
                for _, size, path in found:
                    if used_bytes <= self._max_bytes * _LEFT_AFTER_SWEEP:
                        break
                    path.unlink(missing_ok=True)
                    used_bytes -= size
            self._used_bytes = used_bytes


def _files(folder: Path) -> list[tuple[int, int, Path]]:
    """(last use in ns, size in bytes, path) of each file that was made here; folders, in which clips are cut, and what
    has another name are passed over: the folder may be a link."""
    found = []
    for path in filter(lambda path: _OWN_NAME.match(path.name), folder.iterdir()):
        with suppress(FileNotFoundError):  # another process sweeps too
            status = path.lstat()
            if not stat.S_ISDIR(status.st_mode):
                found.append((status.st_mtime_ns, status.st_size, path))
    return found
