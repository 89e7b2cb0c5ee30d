"""Files and folders as people name them, and the paths of a library that they cover.

`pesearch index` resolves the links of the paths it is given, but not those it finds below them. So the same file can be
named in more ways than the library knows: through a link to a folder, with `..`, with `~`, from another folder.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pesearch.locations import is_gone
from pesearch.settings import expand_home


class PathScope:
    """The files at or below `paths`, however these and the stored paths go through links.

    Relative paths belong to the current folder, and `..` is the parent of what a link leads to, as for the system.
    Nothing needs to exist; what cannot be read counts as it is written.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = tuple(map(expand_home, paths))
        self._named = tuple(map(_NamedPath.of, self._paths))
        self._real_folders: dict[Path, Path] = {}

    def covered(self, stored: Sequence[Path]) -> tuple[Path, ...]:
        """Those of the stored paths of one file that these paths name.

        A path that goes through links, at which the library knows the file, names this location alone, and not also
        the one that the links lead to.
        """
        chosen = {path for named in self._named for path in self._covered_by(named, stored)}
        return tuple(path for path in stored if path in chosen)

    def contains(self, stored: Path) -> bool:
        """Whether a path of the library is one of these, or below one."""
        return bool(self.covered((stored,)))

    def find(self, stored: Collection[Path]) -> Path | None:
        """The first of the stored paths that this covers; quick if one is written as in the library."""
        written = (path for named in self._named for path in (*named.through_links, named.real) if path in stored)
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

    def _covered_by(self, named: _NamedPath, stored: Sequence[Path]) -> list[Path]:
        through_links = [path for path in stored if any(_is_in(path, written) for written in named.through_links)]
        return through_links or [
            path for path in stored if _is_in(path, named.real) or _is_in(self._real_path(path), named.real)
        ]

    def _real_path(self, stored: Path) -> Path:
        """A stored path in the real folder, which is resolved once: a library has far fewer folders than files."""
        folder = stored.parent
        if (real := self._real_folders.get(folder)) is None:
            real = self._real_folders[folder] = _real(folder)
        return real / stored.name


@dataclass(frozen=True, slots=True)
class _NamedPath:
    """`real` is the path with all links resolved. `through_links` are the other paths that a library may have for it:
    with the links resolved as far as one of the folders above it, which was indexed, and the rest as it was typed."""

    real: Path
    through_links: tuple[Path, ...]

    @classmethod
    def of(cls, path: Path) -> _NamedPath:
        typed, real = _without_parent_steps(Path.cwd() / path), _real(path)
        ways = dict.fromkeys(_real(folder) / typed.relative_to(folder) for folder in typed.parents)
        return cls(real, tuple(way for way in ways if way != real))


def _without_parent_steps(path: Path) -> Path:
    """An absolute path with its last `..`, and all before it, replaced by the folder that this is for the system."""
    parts = path.parts
    if ".." not in parts:
        return path
    after = len(parts) - parts[::-1].index("..")
    return _real(Path(*parts[:after])).joinpath(*parts[after:])


def _is_in(path: Path, folder: Path) -> bool:
    """Whether a path is another or below it. Compares texts: `Path.is_relative_to` takes ten times as long."""
    text, above = os.fspath(path), os.fspath(folder)
    return text.startswith(above) and text[len(above.rstrip("/")) :][:1] in ("", "/")


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
