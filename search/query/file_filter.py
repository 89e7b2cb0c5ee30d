"""Filters the files of a library by folder, modification date, kind, duration, and whether they are online."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

from pesearch.errors import QueryError
from pesearch.locations import Location
from pesearch.types import MediaFile, MediaKind

_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d+)?)s?)?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,9}):)?([0-5]?\d):([0-5]\d(?:\.\d+)?)")


@dataclass(frozen=True)
class FileFilter:
    """Keeps the files that meet every condition given; without conditions it keeps all.

    under: A folder or file.
    after, before: Modification date in local time; `after` is inclusive, `before` exclusive.
    at_least_seconds, at_most_seconds: Bounds of the duration, both inclusive.
    online: Only files that exist at one of their locations now.
    Raises QueryError for conditions that exclude every file.
    """

    under: Path | None = None
    after: date | None = None
    before: date | None = None
    kind: MediaKind | None = None
    min_duration_seconds: float | None = None
    max_duration_seconds: float | None = None
    online: bool = False

    def __post_init__(self) -> None:
        if self.under and "\0" in str(self.under):
            raise QueryError(f"{str(self.under)!r} is not a valid path")
        if self.after and self.before and self.after >= self.before:
            raise QueryError(f"no date is on or after {self.after} and before {self.before}")
        shortest, longest = self.min_duration_seconds, self.max_duration_seconds
        if shortest is not None and longest is not None and shortest > longest:
            raise QueryError(f"the shortest duration ({shortest:g} s) is above the longest ({longest:g} s)")

    @property
    def keeps_all(self) -> bool:
        """Whether no condition is given."""
        return self == EVERY_FILE

    def keeps(self, file: MediaFile) -> bool:
        """Whether a file meets the conditions: folder, date and `online` must hold for one and the same location."""
        length = file.info.duration_seconds
        return (
            (self.kind is None or file.info.kind is self.kind)
            and (self.min_duration_seconds is None or length >= self.min_duration_seconds)
            and (self.max_duration_seconds is None or length <= self.max_duration_seconds)
            and any(self._keeps_location(location) for location in file.locations)
        )

    @cached_property
    def _roots(self) -> tuple[Path, ...]:
        """`under` as given and with links resolved, either of which a library may contain; computed once."""
        return (self.under.absolute(), Path(os.path.realpath(self.under))) if self.under else ()

    def _keeps_location(self, location: Location) -> bool:
        if self._roots and not any(location.path.is_relative_to(root) for root in self._roots):
            return False
        if self.after or self.before:
            day = datetime.fromtimestamp(location.modified_ns / 1e9).date()
            if (self.after and day < self.after) or (self.before and day >= self.before):
                return False
        return not self.online or location.path.exists()


EVERY_FILE = FileFilter()


def duration_seconds(text: str) -> float:
    """Parses a duration: `90`, `90s`, `5m`, `1h30m`, `2:30`, `1:02:03`. Raises QueryError."""
    if clock := _CLOCK.fullmatch(text.strip()):
        hours, minutes, seconds = clock.groups()
    elif text.strip() and (spelled := _DURATION.fullmatch(text.strip())):
        hours, minutes, seconds = spelled.groups()
    else:
        raise QueryError(f"{text!r} is not a duration: write 90s, 5m, 1h30m or 2:30")
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)
