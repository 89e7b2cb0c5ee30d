"""Where things are when the user does not say."""

from __future__ import annotations

import os
from pathlib import Path


def default_library() -> Path:
    """`PESEARCH_LIBRARY`, else `pesearch/library` in the user's XDG data folder."""
    if chosen := os.environ.get("PESEARCH_LIBRARY"):
        return Path(chosen).expanduser()
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "pesearch" / "library"
