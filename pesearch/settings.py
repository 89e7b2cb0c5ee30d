"""Default paths."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def default_library() -> Path:
    """`PESEARCH_LIBRARY`, else `pesearch/library` in the user's data folder: `XDG_DATA_HOME`, or that of the system."""
    if chosen := os.environ.get("PESEARCH_LIBRARY"):
        return expand_home(chosen)
    return Path(os.environ.get("XDG_DATA_HOME") or _system_folder(".local/share")) / "pesearch" / "library"


def config_folder() -> Path:
    """`pesearch` in the user's configuration folder: `XDG_CONFIG_HOME`, or that of the system. It may not exist."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or _system_folder(".config")) / "pesearch"


def _system_folder(on_linux: str) -> Path:
    """The folder in which programs keep the user's data and settings; `on_linux` is the one there, in the home folder.

    The local one on Windows: a library is large, and would be copied to a server with a roaming profile.
    """
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path.home() / on_linux


def expand_home(path: str | Path) -> Path:
    """The path with a leading `~` or `~user` expanded; unchanged if no such user exists."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises RuntimeError there
