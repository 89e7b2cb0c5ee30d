"""Size of a folder on disk."""

from __future__ import annotations

from pathlib import Path


def size_on_disk(folder: Path) -> int:
    """Total bytes of all files under a folder, following links to files; files deleted meanwhile are skipped."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total
