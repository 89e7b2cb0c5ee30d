"""How much room files take."""

from __future__ import annotations

from pathlib import Path


def size_on_disk(folder: Path) -> int:
    """Bytes of all files under a folder, links to files followed; a file that vanishes meanwhile counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total
