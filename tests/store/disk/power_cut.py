"""A disk that forgets what was not synced: what a power cut may leave of a library."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.store.catalogue.connection import CATALOGUE_FILE, LOG_FILE


class UnsyncedDisk:
    """Watches syncs and renames in the library in `folder`, which need not exist yet.

    `events` are its calls in order: `sync NAME`, `rename NAME NAME`, names from `folder` on. `cut` copies what is
    certain to survive: of a file what it held when it was last synced, or nothing; of a folder the names that it held
    when it was last synced, or none. The catalogue and its log are DuckDB's, which syncs them itself.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._fsync: Callable[[int], None] = os.fsync
        self._replace: Callable[[Path, Path], None] = os.replace
        self._contents: dict[int, bytes] = {}
        self._entries: dict[int, list[tuple[str, int, bool]]] = {}
        self.events: list[str] = []
        patch.setattr(os, "fsync", self._sync)
        patch.setattr(os, "replace", self._rename)

    def cut(self, target: Path) -> None:
        """What survives when the power fails now."""
        self._restore(self._folder.stat().st_ino, target)
        for name in (CATALOGUE_FILE, LOG_FILE):
            if (self._folder / name).exists():
                shutil.copyfile(self._folder / name, target / name)

    def _sync(self, descriptor: int) -> None:
        self._fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        inode = os.fstat(descriptor).st_ino
        if path.is_dir():
            self._entries[inode] = [(entry.name, entry.inode(), entry.is_dir()) for entry in os.scandir(path)]
        else:
            self._contents[inode] = path.read_bytes()
        if path.is_relative_to(self._folder):
            self.events.append(f"sync {self._name(path)}")

    def _rename(self, source: Path, target: Path) -> None:
        self._replace(source, target)
        if Path(target).is_relative_to(self._folder):
            self.events.append(f"rename {self._name(source)} {self._name(target)}")

    def _name(self, path: Path) -> str:
        return str(Path(path).relative_to(self._folder))

    def _restore(self, inode: int, target: Path) -> None:
        target.mkdir()
        for name, child, is_folder in self._entries.get(inode, []):
            if is_folder:
                self._restore(child, target / name)
            else:
                (target / name).write_bytes(self._contents.get(child, b""))
