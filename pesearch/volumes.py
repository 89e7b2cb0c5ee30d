"""Volumes: the file systems on drives, identified by a name that does not depend on where they are mounted.

The name is the UUID of the file system as udev reports it or, without udev (in a container), the file system id of
`statvfs`. A file system without a drive (in memory, a network share) has no name: files on it are identified by path
and content alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
"""The mount table of this process, see proc(5)."""

UUIDS = Path("/dev/disk/by-uuid")
"""Links named by UUID to devices, kept by udev."""

_WITH_STABLE_INODES = frozenset(
    ("apfs", "bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "hfsplus", "jfs", "ntfs", "ntfs3", "xfs")
)
"""File systems that store inode numbers. FAT and exFAT have none; drivers in user space (`fuseblk`) may invent them."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A file system: a name that does not depend on where it is mounted, and its current or last mount point.

    `has_stable_inodes`: a file keeps its inode number, however often it is mounted. It does not take part in equality.
    """

    name: str
    mount_point: Path
    has_stable_inodes: bool = field(default=False, compare=False)


def mounted_volumes() -> dict[int, Volume]:
    """The mounted volumes by device number (`st_dev` of `os.stat`)."""
    volumes: dict[int, Volume] = {}
    uuids = _uuids()
    for source, mount_point, kind in _mounted_devices():
        try:
            device = mount_point.stat().st_dev
            name = uuids.get(os.path.realpath(source)) or f"{os.statvfs(mount_point).f_fsid:x}"
        except OSError:
            continue  # unmounted meanwhile, or not accessible: its files get no volume
        if name != "0":
            volumes.setdefault(device, Volume(name, mount_point, kind in _WITH_STABLE_INODES))
    return volumes


def volumes_with_stable_inodes() -> frozenset[str]:
    """The names of the mounted volumes whose files keep their inode numbers."""
    return frozenset(volume.name for volume in mounted_volumes().values() if volume.has_stable_inodes)


def _mounted_devices() -> Iterable[tuple[str, Path, str]]:
    """Device, mount point and file system type of each mounted device. See proc(5) for the columns of mountinfo."""
    try:
        lines = MOUNTS.read_bytes().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        mount, _, file_system = line.partition(b" - ")
        kind, source = (os.fsdecode(_unescaped(column)) for column in file_system.split(b" ")[:2])
        if source.startswith("/dev/"):
            yield source, Path(os.fsdecode(_unescaped(mount.split(b" ")[4]))), kind


def _uuids() -> dict[str, str]:
    """UUIDs of file systems by device path."""
    try:
        return {os.path.realpath(link): link.name for link in UUIDS.iterdir()}
    except OSError:
        return {}


def _unescaped(column: bytes) -> bytes:
    """mountinfo writes spaces, tabs, newlines and backslashes as octal escapes."""
    return re.sub(rb"\\([0-7]{3})", lambda number: bytes([int(number[1], 8)]), column)
