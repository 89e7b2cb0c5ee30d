"""Where a server keeps what it makes for pages."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory


def kept_folder(library: Path, name: str) -> Path:
    """In the library, where it need not be yet; a folder of this process where that cannot be written to."""
    if os.access(library, os.W_OK):
        return library / name
    return Path(_own_folder(name).name)


@cache
def _own_folder(name: str) -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix=f"pesearch-{name}-")
