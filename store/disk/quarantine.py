"""Folders `damaged-1`, `damaged-2`, ... of a library, for what a repair takes out of use.

It may still be good, so it is never deleted, except by the user.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pesearch.store.disk.durable import disk_errors, make_folder, sync_folder

_PREFIX = "damaged-"

_STAYS = (errno.EXDEV, errno.EBUSY)
"""Errors of a rename for what lies on another drive, or is the folder where one is mounted."""


@contextmanager
def new_quarantine(folder: Path) -> Iterator[Path]:
    """Create `damaged-1`, or the next free number, in the library in `folder`. One that is empty in the end, as on a
    full disk, is removed."""
    number = 1
    while (target := folder / f"{_PREFIX}{number}").exists():
        number += 1
    with disk_errors(folder):
        make_folder(target)
    try:
        yield target
    finally:
        remove_if_empty(target)


def remove_if_empty(quarantine: Path) -> None:
    """Remove a quarantine, and folders in it, that hold nothing."""
    folders = sorted((path for path in quarantine.rglob("*") if path.is_dir()), reverse=True)
    for empty in (*folders, quarantine):
        with suppress(OSError):  # it holds something
            empty.rmdir()


def quarantines(folder: Path) -> list[Path]:
    """The quarantine folders of the library in `folder`, by number."""
    found = (path for path in folder.glob(f"{_PREFIX}*") if path.name.removeprefix(_PREFIX).isdecimal())
    return sorted((path for path in found if path.is_dir()), key=lambda path: int(path.name.removeprefix(_PREFIX)))


def quarantine(folder: Path, names: Sequence[str]) -> Path:
    """Move these files and folders of a library, if they exist, to a new quarantine. Returns it."""
    with new_quarantine(folder) as target:
        move(folder, target, map(Path, names))
    return target


def move(folder: Path, target: Path, paths: Iterable[Path]) -> None:
    """Move files and folders, by their paths relative to `folder`, to the same paths in `target`, durably.

    What does not exist is left out; what lies on another drive stays where it is.
    """
    with disk_errors(folder):
        for path in paths:
            if (folder / path).is_symlink() or (folder / path).exists():
                make_folder((target / path).parent)
                try:
                    (folder / path).rename(target / path)
                except OSError as error:
                    if error.errno not in _STAYS:
                        raise
                    continue
                sync_folder((target / path).parent)
                sync_folder((folder / path).parent)
