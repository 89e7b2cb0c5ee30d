"""Where things are when the user does not say."""

from __future__ import annotations

import os
from pathlib import Path


def default_library() -> Path:
    """`PESEARCH_LIBRARY`, else `pesearch/library` in the user's XDG data folder."""
    if chosen := os.environ.get("PESEARCH_LIBRARY"):
        return expand_home(chosen)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "pesearch" / "library"


def expand_home(path: str | Path) -> Path:
    """A path that may begin with `~` or `~user`; that of a user who is none stays as it is, and is not there."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises RuntimeError there
