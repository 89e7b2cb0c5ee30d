"""Where media files are: places on drives, which stay themselves wherever a drive is mounted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

_MOST_NS = 2**63 - 1
"""File systems can hold times after the year 2262, but 64 bits of nanoseconds cannot: those count as this one."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A file system on a drive: a name that is its own wherever it is mounted, and where that is or was last."""

    name: str
    mount_point: Path


@dataclass(frozen=True, slots=True)
class Location:
    """A place where a media file was found. `modified_ns` is nanoseconds since the epoch.

    Where the name of the volume is known, it and the number of the file on it (its inode) stay the same when the file
    is moved there, or the volume is mounted elsewhere. They do not make a place another one.
    """

    path: Path
    size_bytes: int
    modified_ns: int
    volume: str = field(default="", compare=False)
    inode: int = field(default=0, compare=False)

    @classmethod
    def of_file(cls, path: Path, volumes: Mapping[int, Volume] = MappingProxyType({})) -> Location:
        """The place as it is now; `volumes` are by their device numbers. Raises OSError."""
        status = path.stat()
        modified_ns = min(max(status.st_mtime_ns, -_MOST_NS), _MOST_NS)
        volume = volumes.get(status.st_dev)
        if volume is None:
            return cls(path, status.st_size, modified_ns)
        return cls(path, status.st_size, modified_ns, volume.name, status.st_ino)
