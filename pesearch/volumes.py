"""Volumes: the file systems on drives, identified by a name that does not depend on where they are mounted.

A file system without a drive (in memory, a network share) has no name: files on it are identified by path and content
alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from pesearch.volume import Volume


def mounted_volumes() -> dict[int, Volume]:
    """The mounted volumes by device number (`st_dev` of `os.stat`). Of several mount points the first one counts."""
    volumes: dict[int, Volume] = {}
    for volume in _mounted():
        try:
            volumes.setdefault(volume.mount_point.stat().st_dev, volume)
        except OSError:
            continue  # unmounted meanwhile, or not accessible: its files get no volume
    return volumes


def volumes_with_stable_inodes() -> frozenset[str]:
    """The names of the mounted volumes whose files keep their inode numbers."""
    return frozenset(volume.name for volume in mounted_volumes().values() if volume.has_stable_inodes)


def _mounted() -> Iterator[Volume]:
    volumes: Iterator[Volume] = iter(())
    if sys.platform == "win32":
        from pesearch import windows_volumes

        volumes = windows_volumes.mounted()
    elif sys.platform == "darwin":
        from pesearch import macos_volumes

        volumes = macos_volumes.mounted()
    elif sys.platform == "linux":
        from pesearch import linux_volumes

        volumes = linux_volumes.mounted()
    return volumes
