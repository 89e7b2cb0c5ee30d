"""Folders for crawling, and a way to access them as a user without permissions."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


def plant(root: Path, *names: str) -> Path:
    """Creates a file, or for a name that ends in a slash a folder, for each name below `root`."""
    for name in names:
        path = root / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_text(name)
    return root


def names(root: Path, paths: Iterable[Path]) -> list[str]:
    """Paths relative to `root`, in the given order."""
    return [path.relative_to(root).as_posix() for path in paths]


@contextmanager
def public_folder() -> Iterator[Path]:
    """A temporary folder that every user may enter (pytest's own is not accessible to others)."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(os.path.realpath(name))


@contextmanager
def without_rights() -> Iterator[None]:
    """Drops root's privileges inside the context, since root may read everything."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)
