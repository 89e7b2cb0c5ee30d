"""Shard folders of which nothing is there: they lie on a drive that is not connected, or were deleted as a whole.

One shard that is missing beside others is damage. If all of a folder are, the drive is far more likely.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pesearch.errors import LibraryDamaged, LibraryUnavailable
from pesearch.store.shards.format import Shard, shard_damaged


def absent_folders(folder: Path, shards: Iterable[Shard]) -> Mapping[Path, Sequence[Shard]]:
    """The shard folders of the library in `folder`, relative to it, that hold none of their registered `shards`."""
    by_folder: dict[Path, list[Shard]] = {}
    for shard in shards:
        by_folder.setdefault(shard.relative_path.parent, []).append(shard)
    return {
        parent: inside
        for parent, inside in by_folder.items()
        if all(_is_missing(folder / shard.relative_path) for shard in inside)
    }


def folder_absent(folder: Path, absent: Path, shards: int) -> LibraryUnavailable:
    """The error for a folder that holds none of its `shards`."""
    return LibraryUnavailable(
        f"The library {folder} cannot be used: all shards in {absent} ({shards}) are missing: connect its drive, or "
        "if they are lost for good, run `pesearch doctor --repair --force`"
    )


def require_folders(folder: Path, shards: Iterable[Shard]) -> None:
    """Raises LibraryUnavailable if a shard folder holds none of its shards."""
    for absent, inside in absent_folders(folder, shards).items():
        raise folder_absent(folder, absent, len(inside))


def shard_missing(folder: Path, shards: Iterable[Shard], path: Path) -> LibraryUnavailable | LibraryDamaged:
    """The error for a registered shard, at `path`, that is missing."""
    for absent, inside in absent_folders(folder, shards).items():
        if path.parent == folder / absent:
            return folder_absent(folder, absent, len(inside))
    return shard_damaged(path, "is missing")


def _is_missing(path: Path) -> bool:
    """Whether there is certainly no file: any other error is reported when it is read."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False
