"""Power cuts: what is certain to be on the disk, and nothing else, at each call of an operation.

POSIX promises little: of a file what it held when it was last synced, of a folder the names that it held when it was
last synced, itself being a name in its parent. File systems write names earlier, so each state is checked twice: with
the names that are certain, and with all names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

from tests.faults.interposer import Kind

Names = Mapping[str, tuple[int, bool]]
"""The names in a folder: of each the inode, and whether it is a folder."""


@dataclass(frozen=True, slots=True)
class Remains:
    """What a power cut leaves below the folder with the inode `root`: names by folder, contents by file."""

    root: int
    names: Mapping[int, Names]
    contents: Mapping[int, bytes]

    def restore(self, target: Path) -> None:
        """Write it to a folder that does not exist. Files whose content was never synced are empty."""
        self._restore(self.root, target)

    def _restore(self, inode: int, target: Path) -> None:
        target.mkdir()
        for name, (child, is_folder) in self.names.get(inode, {}).items():
            if is_folder:
                self._restore(child, target / name)
            else:
                (target / name).write_bytes(self.contents.get(child, b""))


class SyncedDisk:
    """Records what is synced below a folder, all of which is on the disk at the start. `called` is a hook."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: list[int] = []
        self._names = dict(_all_names(folder))
        self._contents = {path.stat().st_ino: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        self.remains: list[Remains] = []

    def called(self, kind: Kind, path: Path) -> int:
        """Record what a power cut just before a call would leave."""
        if kind is Kind.SYNC:
            self._sync(path)
        elif kind in (Kind.CREATE, Kind.RENAME, Kind.UNLINK, Kind.MKDIR):
            self.record()
        return 0

    def record(self) -> None:
        """Record what a power cut now would leave: with all names, and with those that are certain."""
        contents = MappingProxyType(dict(self._contents))
        for names in (dict(_all_names(self._folder)), dict(self._names)):
            self.remains.append(Remains(self._folder.stat().st_ino, names, contents))

    def _sync(self, path: Path) -> None:
        self._held.append(os.open(path, os.O_RDONLY))  # its inode is not given to another file
        if path.is_dir():
            self._names[path.stat().st_ino] = _names(path)
        else:
            self._contents[path.stat().st_ino] = path.read_bytes()
        self.record()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.record()
        for descriptor in self._held:
            os.close(descriptor)


def _all_names(folder: Path) -> Iterator[tuple[int, Names]]:
    yield folder.stat().st_ino, _names(folder)
    for path in folder.rglob("*"):
        if path.is_dir():
            yield path.stat().st_ino, _names(path)


def _names(folder: Path) -> Names:
    return {entry.name: (entry.inode(), entry.is_dir()) for entry in os.scandir(folder)}
