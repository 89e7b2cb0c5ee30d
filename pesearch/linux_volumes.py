"""Volumes of Linux, by the mount table of this process.

The name is the UUID of the file system as udev reports it or, without udev (in a container), the file system id of
`statvfs`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pesearch.volume import Volume

MOUNTS = Path("/proc/self/mountinfo")
"""The mount table of this process, see proc(5)."""

UUIDS = Path("/dev/disk/by-uuid")
"""Links named by UUID to devices, kept by udev."""

_WITH_STABLE_INODES = frozenset(
    ("apfs", "bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "hfsplus", "jfs", "ntfs", "ntfs3", "xfs")
)
"""File systems that store inode numbers. FAT and exFAT have none; drivers in user space (`fuseblk`) may invent them."""


def mounted() -> Iterator[Volume]:
    """The volumes that are mounted from a device."""
    if sys.platform != "linux":
        return
    uuids = _uuids()
    for source, mount_point, kind in mounted_devices():
        with suppress(OSError):
            name = uuids.get(os.path.realpath(source)) or f"{os.statvfs(mount_point).f_fsid:x}"
            if name != "0":
                yield Volume(name, mount_point, kind in _WITH_STABLE_INODES)


def mounted_devices() -> Iterator[tuple[str, Path, str]]:
    """Device, mount point and file system type of each mounted device. See proc(5) for the columns of mountinfo."""
    try:
        lines = MOUNTS.read_bytes().splitlines()
    except OSError:  # no /proc, as in some sandboxes
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
