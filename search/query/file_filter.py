"""Filters the files of a library by folder, date, kind, duration, properties, and whether they are online."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path

from pesearch.capture_time import CaptureTime, file_time
from pesearch.errors import QueryError
from pesearch.locations import Location
from pesearch.path_scope import PathScope
from pesearch.search.query.property_filter import ANY_PROPERTIES, PropertyFilter
from pesearch.types import MediaFile, MediaKind

_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d+)?)s?)?", re.IGNORECASE)
_EASTERNMOST = timezone(timedelta(hours=14))
"""The zone that is first to reach a local time: Kiritimati, in the IANA time zone database."""

_WESTERNMOST = timezone(timedelta(hours=-12))
"""The zone that is last to reach it: `Etc/GMT+12`, that of ships west of the date line."""

_CLOCK = re.compile(r"(?:(\d{1,9}):)?([0-5]?\d):([0-5]\d(?:\.\d+)?)")


@dataclass(frozen=True)
class FileFilter:
    """Keeps the files that meet every condition given; without conditions it keeps all.

    under: Folders or files; a file is kept that is one of them, or in one.
    after, before: The time of recording (`MediaFile.captured_at`), as `CaptureTime.is_before` compares it; `after` is
        inclusive, `before` exclusive. A file without a plausible time is kept by neither.
    at_least_seconds, at_most_seconds: Bounds of the duration, both inclusive.
    online: Only files that exist at one of their locations now.
    by_file_time: Compare the modification time of the file in this system's time zone, not the date of recording.
    Raises QueryError for conditions that exclude every file.
    """

    under: tuple[Path, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    kind: MediaKind | None = None
    min_duration_seconds: float | None = None
    max_duration_seconds: float | None = None
    online: bool = False
    by_file_time: bool = False
    properties: PropertyFilter = ANY_PROPERTIES

    def __post_init__(self) -> None:
        for path in self.under:
            if "\0" in str(path):
                raise QueryError(f"{str(path)!r} is not a valid path")
        if self.after and self.before and not _is_ordered(self.after, self.before):
            raise QueryError(f"no time is at or after {_text(self.after)} and before {_text(self.before)}")
        shortest, longest = self.min_duration_seconds, self.max_duration_seconds
        if shortest is not None and longest is not None and shortest > longest:
            raise QueryError(f"the shortest duration ({shortest:g} s) is above the longest ({longest:g} s)")

    @property
    def keeps_all(self) -> bool:
        """Whether no condition is given."""
        return self == EVERY_FILE

    @property
    def asks_recording(self) -> bool:
        """Whether a condition is on when, where or with what files were recorded."""
        return self.properties.asks_recording or bool((self.after or self.before) and not self.by_file_time)

    def keeps(self, file: MediaFile) -> bool:
        """Whether a file meets the conditions: folder, date and `online` must hold for one and the same location."""
        return self._keeps_content(file) and bool(self._kept_locations(file))

    def problem(self, stored: Collection[Path]) -> str:
        """One line about a path of `under` where nothing is, neither now nor among the `stored` paths of a library."""
        return self._scope.problem(stored) if self._scope else ""

    def at_kept_locations(self, file: MediaFile) -> MediaFile:
        """A kept file without those of its locations that do not meet the conditions."""
        if self.keeps_all or len(file.locations) == 1:
            return file
        kept = self._kept_locations(file)
        return replace(file, locations=kept or file.locations)  # none is kept if the last one went offline just now

    def _keeps_content(self, file: MediaFile) -> bool:
        length = file.info.duration_seconds
        return (
            (self.kind is None or file.info.kind is self.kind)
            and (self.min_duration_seconds is None or length >= self.min_duration_seconds)
            and (self.max_duration_seconds is None or length <= self.max_duration_seconds)
            and (self.properties == ANY_PROPERTIES or self.properties.keeps(file))
        )

    @cached_property
    def _scope(self) -> PathScope | None:
        return PathScope(self.under) if self.under else None

    def _kept_locations(self, file: MediaFile) -> tuple[Location, ...]:
        locations = file.locations
        if self._scope is not None:
            covered = self._scope.covered([location.path for location in locations])
            locations = tuple(location for location in locations if location.path in covered)
        return tuple(location for location in locations if self._keeps_location(file, location))

    def _keeps_location(self, file: MediaFile, location: Location) -> bool:
        if (self.after or self.before) and not self._keeps_time(
            file_time(location) if self.by_file_time else file.captured_at(location)
        ):
            return False
        return not self.online or location.is_online

    def _keeps_time(self, time: CaptureTime | None) -> bool:
        if time is None:
            return False
        is_late_enough = self.after is None or not time.is_before(self.after)
        return is_late_enough and (self.before is None or time.is_before(self.before))


EVERY_FILE = FileFilter()


def parse_time(text: str) -> datetime:
    """Parses ISO 8601: `2026-01-31` (its first moment), `2026-01-31T12:30`, `2026-01-31T12:30Z`. Raises QueryError."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise QueryError(f"{text!r} is not a date: write it like 2026-01-31, or 2026-01-31T12:30") from error


def duration_seconds(text: str) -> float:
    """Parses a duration: `90`, `90s`, `5m`, `1h30m`, `2:30`, `1:02:03`. Raises QueryError."""
    if clock := _CLOCK.fullmatch(text.strip()):
        hours, minutes, seconds = clock.groups()
    elif text.strip() and (spelled := _DURATION.fullmatch(text.strip())):
        hours, minutes, seconds = spelled.groups()
    else:
        raise QueryError(f"{text!r} is not a duration: write 90s, 5m, 1h30m or 2:30")
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)


def _is_ordered(first: datetime, second: datetime) -> bool:
    """Whether a recording can be at or after `first` and before `second`.

    Without an offset they are the local time of the recording: of two kinds, the zones that reach furthest decide.
    """
    if (first.tzinfo is None) == (second.tzinfo is None):
        return first < second
    earliest = first if first.tzinfo else first.replace(tzinfo=_EASTERNMOST)
    latest = second if second.tzinfo else second.replace(tzinfo=_WESTERNMOST)
    return earliest < latest or first.replace(tzinfo=None) < second.replace(tzinfo=None)  # an offset is unknown


def _text(time: datetime) -> str:
    """The time as people write it: a date at midnight is the date."""
    return time.isoformat(" ", "seconds").removesuffix(" 00:00:00")
