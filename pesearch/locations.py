"""Locations of media files, identified by volume and inode wherever a drive is mounted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

_MAX_NS = 2**63 - 1
"""File systems can store times after the year 2262, but int64 nanoseconds cannot: later times are clamped to this."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A file system: a name that does not depend on where it is mounted, and its current or last mount point."""

    name: str
    mount_point: Path


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
