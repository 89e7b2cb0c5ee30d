"""The volumes on which the files of a library are, and those of them that are offline."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pesearch.locations import Location
from pesearch.store.library import Library
from pesearch.volume import Volume
from pesearch.volumes import mounted_volumes


@dataclass(frozen=True, slots=True)
class OfflineFiles:
    """The number of files that are only on one offline volume.

    `last_seen` is its recorded mount point, `now_at` its present one if it is mounted elsewhere.
    """

    files: int
    last_seen: Path
    now_at: Path | None


def volumes_of(locations: Iterable[Location]) -> list[Volume]:
    """The volumes of these locations, with their mount points."""
    paths = {location.volume: location.path for location in locations if location.volume}
    return [Volume(name, _mount_point(path)) for name, path in paths.items()]


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
