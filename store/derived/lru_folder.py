"""What was made of media for people to look at, kept in the library: pictures, and cuts that a browser can play.

All of it can be made again. So it may be deleted at any time, the oldest goes when there is too much of it, nothing is
brought to the disk for certain, and a folder that cannot be written to or a full disk keeps nothing and is no error.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pesearch.store.disk.durable import AtomicFile, undone_by

THUMBNAIL_FOLDER = "thumbnails"
PROXY_FOLDER = "proxies"
CLIPS_FOLDER = "clips"

_LEFT_AFTER_SWEEP = 0.8
"""Of the bytes that are allowed: so that a full folder is not swept for each new file."""


class LruFolder:
    """A folder of files that can be made again, at most so many bytes of them. Safe to share among threads."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._held_bytes: int | None = None
        self._counting = threading.Lock()

    def path(self, name: str) -> Path | None:
        """The file of that name, which counts as used now; None when there is none, or an empty one after a crash."""
        path = self.folder / name
        try:
            if not path.stat().st_size:
                return None
        except OSError:  # not there, or not to be had: it is made again
            return None
        with suppress(OSError):  # a folder that cannot be written to keeps its order
            os.utime(path)
        return path

    def read(self, name: str) -> bytes | None:
        """What that file holds; None when there is none."""
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
        self._make_room(size_bytes)
        return self.folder / name

    def keep(self, name: str, content: bytes) -> None:
        """Keep `content` as `name`, if the disk allows it."""
        with suppress(OSError):
            self.add(name, lambda path: path.write_bytes(content))

    def _make_room(self, new_bytes: int) -> None:
        """Count what is held; over the limit, delete what was not used for the longest time."""
        with self._counting:
            if self._held_bytes is not None:
                self._held_bytes += new_bytes
                if self._held_bytes <= self._most_bytes:
                    return
            found = sorted(_files(self.folder))
            held = sum(size for _, size, _ in found)
            if held > self._most_bytes:
                for _, size, path in found:
                    if held <= self._most_bytes * _LEFT_AFTER_SWEEP:
                        break
                    path.unlink(missing_ok=True)
                    held -= size
            self._held_bytes = held


def _files(folder: Path) -> list[tuple[int, int, Path]]:
    """When each file was last used, its size and its path."""
    found = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another server sweeps too
            status = path.stat()
            found.append((status.st_mtime_ns, status.st_size, path))
    return found
