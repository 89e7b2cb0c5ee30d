"""A real drive: a file system in a file that can be mounted anywhere and unmounted."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


class Drive:
    """An empty ext4 file system of 16 MiB. Skips the test where none may be mounted."""

    def __init__(self, image: Path) -> None:
        self._image = image
        with image.open("wb") as file:
            file.truncate(16 << 20)
        self._call("mkfs.ext4", "-q", str(image))

    @contextmanager
    def at(self, folder: Path) -> Iterator[Path]:
        """Mounts it at a folder, which is created if needed; unmounts it on exit."""
        folder.mkdir(parents=True, exist_ok=True)
        self._call("mount", "-o", "loop", str(self._image), str(folder))
        try:
            with suppress(OSError):
                (folder / "lost+found").rmdir()
            yield folder
        finally:
            self._call("umount", str(folder))

    def _call(self, *command: str) -> None:
        try:
            subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PATH": _PATH})
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no file system may be mounted here: {error}")


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
