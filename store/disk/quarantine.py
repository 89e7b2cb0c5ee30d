"""Move damaged files out of the way. They may still be useful, so they are never deleted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pesearch.store.disk.durable import disk_errors, sync_folder


def quarantine(folder: Path, names: Sequence[str]) -> Path:
    """Move these files and folders of a library, if they exist, to a new folder `damaged-1`, or the next free number.

    Returns the new folder.
    """
    number = 1
    while (target := folder / f"damaged-{number}").exists():
        number += 1
    with disk_errors(folder):
        target.mkdir()
        for name in names:
            if (folder / name).exists():
                (folder / name).rename(target / name)
        sync_folder(target)
        sync_folder(folder)
    return target
