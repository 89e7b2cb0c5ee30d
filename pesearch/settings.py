"""Default paths."""

from __future__ import annotations

import os
from pathlib import Path


def default_library() -> Path:
    """`PESEARCH_LIBRARY`, else `pesearch/library` in the user's XDG data folder."""
    if chosen := os.environ.get("PESEARCH_LIBRARY"):
        return expand_home(chosen)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "pesearch" / "library"


def config_folder() -> Path:
    """`pesearch` in the user's XDG configuration folder; it may not exist."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "pesearch"


def expand_home(path: str | Path) -> Path:
    """The path with a leading `~` or `~user` expanded; unchanged if no such user exists."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises RuntimeError there
