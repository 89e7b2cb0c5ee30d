"""The limit of open files of this process. Windows has none that a server reaches."""

from __future__ import annotations

import sys
from contextlib import suppress

if sys.platform != "win32":
    import resource


def max_open_files() -> int | None:
    """The number of files that this process may have open; None without a limit."""
    limit: int | None = None
    if sys.platform != "win32":
        soft_limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = None if soft_limit == resource.RLIM_INFINITY else soft_limit
    return limit


def raise_file_limit() -> None:
    """Raise the soft limit of open files of this process to the hard one: each browser takes several."""
    if sys.platform != "win32":
        _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(OSError, ValueError):  # macOS has a lower limit that it does not report
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
