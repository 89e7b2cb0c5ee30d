"""Files and folders as people name them, and the paths of a library that they cover.

`pesearch index` resolves the links of the paths it is given, but not those it finds below them. So the same file can be
named in more ways than the library knows: through a link to a folder, with `..`, with `~`, from another folder.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import Path

from pesearch.locations import is_gone
from pesearch.settings import expand_home


class PathScope:
    """The files at or below `paths`, however these and the stored paths go through links.

    Relative paths belong to the current folder. Nothing needs to exist; what cannot be read counts as it is written.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = tuple(map(expand_home, paths))
        self._real_folders: dict[Path, Path] = {}

    def contains(self, stored: Path) -> bool:
        """Whether a path of the library is one of these, or below one."""
        return self._is_below(stored) or self._is_below(self._real_folder(stored.parent) / stored.name)

    def find(self, stored: Collection[Path]) -> Path | None:
        """The first of the stored paths that this covers; quick if one is written as in the library."""
        written = (path for path in self._roots if path in stored)
        return next(written, None) or next(filter(self.contains, stored), None)

    def problem(self, stored: Collection[Path]) -> str:
        """One line about the first of these paths where nothing is found on this machine, nor in a library with the
        `stored` paths; "" if there is none."""
        not_here = (path for path in self._paths if not os.path.lexists(path))
        path = next((path for path in not_here if PathScope([path]).find(stored) is None), None)
        if path is None:
            return ""
        if is_gone(path):
            return f"there is nothing at {path}, neither on this machine nor in the library"
        return f"{path} cannot be read, and nothing of it is in the library: check its permissions and its drive"

    @cached_property
    def _roots(self) -> frozenset[Path]:
        """Each path as written, with all links resolved, and with those of its folder resolved."""
        written = [Path(os.path.abspath(path)) for path in self._paths]  # noqa: PTH100 - Path.absolute keeps `..`
        of_folder = [_real(path.parent) / path.name for path in written]
        return frozenset((*written, *map(_real, self._paths), *of_folder))

    def _is_below(self, path: Path) -> bool:
        return path in self._roots or not self._roots.isdisjoint(path.parents)

    def _real_folder(self, folder: Path) -> Path:
        """The real path of a folder, resolved once: a library has far fewer folders than files."""
        if (real := self._real_folders.get(folder)) is None:
            real = self._real_folders[folder] = _real(folder)
        return real


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
