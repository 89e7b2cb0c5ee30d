"""Files whose vectors or sound features were found to be damaged on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SOUND_FEATURES = "sound features"
"""`DamagedFile.data` for codec features."""


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A media file, and its data in a damaged shard: `lost` of its `rows` are left out of searches, `restored` ones are
    used. If none is either, the shard has other bytes than were written, and nobody knows where.

    data: The name of a space, or SOUND_FEATURES. shard: Relative to the library's folder. reason: What is wrong with
    the shard, in one line.
    """

    path: Path
    data: str
    shard: Path
    rows: int
    lost: int
    restored: int
    reason: str

    def __str__(self) -> str:
        """What that means for searches, without the path and on one line."""
        what = "steps of sound features" if self.data == SOUND_FEATURES else f"{self.data} vectors"
        if self.lost and self.data == SOUND_FEATURES:
            return "its stored sound features are damaged and not used"
        if self.lost:
            return f"{self.lost} of its {self.rows} {what} are damaged and left out"
        if self.restored:
            return f"damage in {self.restored} of its {self.rows} {what} was corrected"
        return f"its {self.data} may differ from what was written"
