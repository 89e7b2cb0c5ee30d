"""Who can read a library."""

from __future__ import annotations

import stat
from pathlib import Path

_ENTER, _READ = stat.S_IXOTH, stat.S_IROTH


def is_open_to_others(folder: Path) -> bool:
    """Whether the mode of a folder, and of all above it, lets any user of the machine list or enter it.

    A folder that is open to its group alone was shared on purpose. Raises OSError.
    """
    real = folder.resolve()
    return bool(real.stat().st_mode & (_ENTER | _READ)) and all(
        parent.stat().st_mode & _ENTER for parent in real.parents
    )
