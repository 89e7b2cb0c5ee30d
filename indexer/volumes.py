"""Volumes: the file systems on drives, each known by a name of its own wherever it is mounted.

The name is the UUID of the file system, as udev finds it; where there is no udev (in a container), the identifier that
the system makes of it (`statvfs`). A file system without a drive (in memory, a network share) has none: the files on
it are known by their paths and contents alone.
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
UUIDS = Path("/dev/disk/by-uuid")


@dataclass(frozen=True, slots=True)
class OfflineFiles:
    """How many files lie only on a volume that is not where it was, and where it is mounted now, if it is."""

    files: int
    last_seen: Path
    now_at: Path | None


def mounted() -> dict[int, Volume]:
    """The volumes that are mounted, by the number that `os.stat` gives for their device."""
    volumes: dict[int, Volume] = {}
    uuids = _uuids()
    for source, mount_point in _drives():
        try:
            device = mount_point.stat().st_dev
            name = uuids.get(os.path.realpath(source)) or f"{os.statvfs(mount_point).f_fsid:x}"
        except OSError:
            continue  # unmounted since, or not for this user: its files have no volume then
        if name != "0":
            volumes.setdefault(device, Volume(name, mount_point))
    return volumes


def volumes_of(places: Iterable[Location]) -> list[Volume]:
    """The volumes on which places are, with the mount points above them."""
    examples = {place.volume: place.path for place in places if place.volume}
    return [Volume(name, _mount_point(path)) for name, path in examples.items()]


def offline(library: Library) -> list[OfflineFiles]:
    """The files of which all places are on volumes that are away, by volume."""
    here = mounted()
    away = {volume.name: volume for volume in library.volumes() if not _is_here(volume, here)}
    elsewhere = {volume.name: volume.mount_point for volume in here.values()}
    return [
        OfflineFiles(files, away[name].mount_point, elsewhere.get(name))
        for name, files in sorted(library.only_on(away).items())
    ]


def _is_here(volume: Volume, here: Mapping[int, Volume]) -> bool:
    try:
        found = here.get(volume.mount_point.stat().st_dev)
    except OSError:
        return False
    return found is not None and found.name == volume.name


def _mount_point(path: Path) -> Path:
    real = Path(os.path.realpath(path))
    return next(parent for parent in real.parents if os.path.ismount(parent))


def _drives() -> Iterable[tuple[str, Path]]:
    """What is mounted from a device: the device and the mount point. See proc(5) for the columns."""
    try:
        lines = MOUNTS.read_bytes().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        mount, _, file_system = line.partition(b" - ")
        source = os.fsdecode(_unescaped(file_system.split(b" ")[1]))
        if source.startswith("/dev/"):
            yield source, Path(os.fsdecode(_unescaped(mount.split(b" ")[4])))


def _uuids() -> dict[str, str]:
    """The UUID of the file system on each device that has one."""
    try:
        return {os.path.realpath(link): link.name for link in UUIDS.iterdir()}
    except OSError:
        return {}


def _unescaped(column: bytes) -> bytes:
    """Spaces, tabs, newlines and backslashes stand in the table as octal numbers."""
    return re.sub(rb"\\([0-7]{3})", lambda number: bytes([int(number[1], 8)]), column)
