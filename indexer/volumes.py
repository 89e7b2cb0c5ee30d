"""Volumes: the file systems on drives, identified by a name that does not depend on where they are mounted.

The name is the UUID of the file system as udev reports it or, without udev (in a container), the file system id of
`statvfs`. A file system without a drive (in memory, a network share) has no name: files on it are identified by path
and content alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pesearch.locations import Location, Volume
from pesearch.store.library import Library

MOUNTS = Path("/proc/self/mountinfo")
"""The mount table of this process, see proc(5)."""

UUIDS = Path("/dev/disk/by-uuid")
"""Links named by UUID to devices, kept by udev."""


_WITH_STABLE_INODES = frozenset(
    ("apfs", "bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "hfsplus", "jfs", "ntfs", "ntfs3", "xfs")
)
"""File systems that store inode numbers. FAT and exFAT have none; drivers in user space (`fuseblk`) may invent them."""


@dataclass(frozen=True, slots=True)
class OfflineFiles:
    """The number of files that are only on one offline volume.

    `last_seen` is its recorded mount point, `now_at` its present one if it is mounted elsewhere.
    """

    files: int
    last_seen: Path
    now_at: Path | None


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


def volumes_of(locations: Iterable[Location]) -> list[Volume]:
    """The volumes of these locations, with their mount points."""
    paths = {location.volume: location.path for location in locations if location.volume}
    return [Volume(name, _mount_point(path)) for name, path in paths.items()]


def offline_volumes(library: Library) -> frozenset[str]:
    """The names of the volumes of a library that are not where they were."""
    mounted = mounted_volumes()
    return frozenset(volume.name for volume in library.volumes() if not _is_at_mount_point(volume, mounted))


def offline(library: Library) -> list[OfflineFiles]:
    """The files whose locations are all on offline volumes, counted by volume."""
    mounted = mounted_volumes()
    missing = {volume.name: volume for volume in library.volumes() if not _is_at_mount_point(volume, mounted)}
    mount_points = {volume.name: volume.mount_point for volume in mounted.values()}
    return [
        OfflineFiles(files, missing[name].mount_point, mount_points.get(name))
        for name, files in sorted(library.only_on(missing).items())
    ]


def _is_at_mount_point(volume: Volume, mounted: Mapping[int, Volume]) -> bool:
    try:
        found = mounted.get(volume.mount_point.stat().st_dev)
    except OSError:
        return False
    return found is not None and found.name == volume.name


def _mount_point(path: Path) -> Path:
    real = Path(os.path.realpath(path))
    return next(parent for parent in real.parents if os.path.ismount(parent))


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
