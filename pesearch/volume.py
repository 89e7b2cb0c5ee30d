"""What a volume is: a file system on a drive."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Volume:
    """A file system: a name that does not depend on where it is mounted, and its current or last mount point.

    `has_stable_inodes`: a file keeps its inode number, however often it is mounted. It does not take part in equality.
    """

    name: str
    mount_point: Path
    has_stable_inodes: bool = field(default=False, compare=False)
