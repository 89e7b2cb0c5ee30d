"""Putting what is damaged aside: it may still be of use to somebody, so it is never deleted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pesearch.store.disk.durable import disk_errors, sync_folder


def quarantine(folder: Path, names: Sequence[str]) -> Path:
    """Move what there is of these out of the library in `folder`, into a new folder in it. That folder.

    It is `damaged-1`, or the next number that is free: a name that needs no clock.
    """
    number = 1
    while (aside := folder / f"damaged-{number}").exists():
        number += 1
    with disk_errors(folder):
        aside.mkdir()
        for name in names:
            if (folder / name).exists():
                (folder / name).rename(aside / name)
        sync_folder(aside)
        sync_folder(folder)
    return aside
