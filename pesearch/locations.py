"""Locations of media files, identified by volume and inode wherever a drive is mounted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from pesearch.volume import Volume
from pesearch.volumes import mounted_volumes

_MAX_NS = 2**63 - 1
"""File systems can store times after the year 2262, but int64 nanoseconds cannot: later times are clamped to this."""


class Absence(StrEnum):
    """Why the last indexing run of its folder did not find a file of the library, although its drive is connected."""

    MISSING = "missing"
    """Deleted, or moved to where it was not found."""

    EXCLUDED = "excluded"
    """It is there, but an ignore file, `--exclude` or a hidden folder leaves it out now."""


def can_reach(path: Path) -> bool:
    """Whether there is something at `path` now. What its folder or drive denies (no permission, a dead network share, a
    failing disk) cannot be reached; `Path.exists` raises OSError for it."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises where this is False


def is_folder(path: Path) -> bool:
    """Whether there is a folder at `path` that can be reached now, see `can_reach`."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises where this is False


@dataclass(frozen=True, slots=True)
class Location:
    """A path where a media file was found, with its size and `modified_ns` (nanoseconds since the epoch).

    `volume` (empty if unknown) and `inode` stay the same when the file is moved within its volume or the volume is
    mounted elsewhere. They do not take part in equality.
    """

    path: Path
    size_bytes: int
    modified_ns: int
    volume: str = field(default="", compare=False)
    inode: int = field(default=0, compare=False)

    @property
    def is_online(self) -> bool:
        """Whether the file can be reached now."""
        return can_reach(self.path)

    @property
    def is_missing(self) -> bool:
        """Whether the file is gone while its drive is connected, see `is_missing`."""
        return is_gone(self.path) and is_missing(self.path, self.volume, mounted_volumes())  # most files are there

    @classmethod
    def of_file(cls, path: Path, volumes: Mapping[int, Volume] = MappingProxyType({})) -> Location:
        """The location with its current size and time; `volumes` maps device numbers. Raises OSError."""
        status = path.stat()
        volume = volumes.get(status.st_dev)
        if volume is None:
            return cls(path, status.st_size, _modified_ns(status))
        return cls(path, status.st_size, _modified_ns(status), volume.name, status.st_ino)

    def is_at(self, status: os.stat_result) -> bool:
        """Whether a file has the size, time and inode of this location; False if its inode is unknown."""
        known = self.size_bytes, self.modified_ns, self.inode
        return self.inode != 0 and known == (status.st_size, _modified_ns(status), status.st_ino)


def _modified_ns(status: os.stat_result) -> int:
    return min(max(status.st_mtime_ns, -_MAX_NS), _MAX_NS)


def is_gone(path: Path) -> bool:
    """Whether there is certainly no file at a path: a disk or share that fails, or a lack of rights, does not tell."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def is_missing(path: Path, volume: str, mounted: Mapping[int, Volume]) -> bool:
    """Whether the file of a volume is gone from a path, deleted or moved, while the volume is where it was: the nearest
    folder above it that is there is on that volume. `mounted` maps device numbers.

    Without a volume (""), on a network share or in memory, its own folder has to be there. An empty mount point counts
    as such a folder.
    """
    if not is_gone(path):
        return False
    if not volume:
        return can_reach(path.parent)
    nearest = next(filter(can_reach, path.parents))
    found = mounted.get(nearest.stat().st_dev)
    return found is not None and found.name == volume
