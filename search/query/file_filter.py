"""Which files of a library are asked: by place, day, kind, length, and whether they are there now."""

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
    """Keeps the files for which all that is given holds; nothing given keeps all.

    `under` is a folder or file; `after` (that day and later) and `before` (earlier than that day) look at the file's
    modification date in local time; `kind` at what it is; its length lies between `at_least_seconds` and
    `at_most_seconds`; `online` files are where they can be opened now. Raises QueryError for what no file can be.
    """

    under: Path | None = None
    after: date | None = None
    before: date | None = None
    kind: MediaKind | None = None
    at_least_seconds: float | None = None
    at_most_seconds: float | None = None
    online: bool = False

    def __post_init__(self) -> None:
        if self.under and "\0" in str(self.under):
            raise QueryError(f"no file is under {str(self.under)!r}")
        if self.after and self.before and self.after >= self.before:
            raise QueryError(f"no day is after {self.after} and before {self.before}")
        least, most = self.at_least_seconds, self.at_most_seconds
        if least is not None and most is not None and least > most:
            raise QueryError(f"no file is longer than {least:g} s and shorter than {most:g} s")

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is given."""
        return self == EVERY_FILE

    def keeps(self, file: MediaFile) -> bool:
        """Whether the file is asked: place, day and being there must hold of one and the same location."""
        length = file.info.duration_seconds
        return (
            (self.kind is None or file.info.kind is self.kind)
            and (self.at_least_seconds is None or length >= self.at_least_seconds)
            and (self.at_most_seconds is None or length <= self.at_most_seconds)
            and any(self._keeps(location) for location in file.locations)
        )

    @cached_property
    def _tops(self) -> tuple[Path, ...]:
        """`under` as it may stand in the library; looked up once, and not again for each of many files."""
        return (self.under.absolute(), Path(os.path.realpath(self.under))) if self.under else ()

    def _keeps(self, location: Location) -> bool:
        if self._tops and not any(location.path.is_relative_to(top) for top in self._tops):
            return False
        if self.after or self.before:
            day = datetime.fromtimestamp(location.modified_ns / 1e9).date()
            if (self.after and day < self.after) or (self.before and day >= self.before):
                return False
        return not self.online or location.path.exists()


EVERY_FILE = FileFilter()


def duration_seconds(text: str) -> float:
    """A length as people write it: `90`, `90s`, `5m`, `1h30m`, `2:30`, `1:02:03`. Raises QueryError."""
    if clock := _CLOCK.fullmatch(text.strip()):
        hours, minutes, seconds = clock.groups()
    elif text.strip() and (spelt := _DURATION.fullmatch(text.strip())):
        hours, minutes, seconds = spelt.groups()
    else:
        raise QueryError(f"{text!r} is no length: write 90s, 5m, 1h30m or 2:30")
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)
