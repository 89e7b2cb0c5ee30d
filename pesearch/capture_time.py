"""When media was recorded: a time, where it was read, and which clock it shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pesearch.locations import Location


class DateSource(StrEnum):
    """Where a capture time was read, in the order of preference."""

    QUICKTIME = "quicktime"
    EXIF = "exif"
    XMP = "xmp"
    IPTC = "iptc"
    CREATION_TIME = "creation_time"
    BROADCAST_WAVE = "broadcast_wave"
    TAG = "tag"
    FILE_NAME = "file_name"
    FILE_TIME = "file_time"


RESET_DATES = (
    datetime(1601, 1, 1),
    datetime(1899, 12, 30),
    datetime(1900, 1, 1),
    datetime(1904, 1, 1),
    datetime(1970, 1, 1),
    datetime(1980, 1, 1),
    datetime(1980, 1, 6),
)
"""Zero on the clocks of Windows, spreadsheets, NTP, QuickTime, Unix, FAT (and of cameras after a reset) and GPS."""

RESET_MIDNIGHTS = frozenset({datetime(2000, 1, 1), datetime(2001, 1, 1)})
"""Zero on further clocks (cameras, Apple's), implausible only at midnight sharp: much was recorded on these days."""

MAX_RESET_DISTANCE = timedelta(days=1)
"""Zero is off by the time zone, and a clock that starts at it has run since."""

EARLIEST = datetime(1826, 1, 1)
"""The first photograph was taken in 1826; scans of old pictures may be dated."""

MAX_AHEAD = timedelta(days=1)
"""A later time is in the future in every time zone, whatever the clocks say."""


@dataclass(frozen=True, slots=True)
class CaptureTime:
    """When something was recorded.

    `at` without an offset is the local time of the recording, in an unknown zone. With an offset it is a point in time;
    `is_local` says whether that is also the local time of the recording, or (as in UTC times) this is unknown.
    """

    at: datetime
    source: DateSource
    is_local: bool = True

    @property
    def wall_clock(self) -> datetime:
        """The time where it was recorded if known, else in the time zone of this system; without an offset."""
        return (self.at if self.is_local else self.at.astimezone()).replace(tzinfo=None)

    def is_before(self, limit: datetime) -> bool:
        """Compare points in time if both are known, else what clocks show."""
        if limit.tzinfo is not None and self.at.tzinfo is not None:
            return self.at < limit
        return self.wall_clock < limit.replace(tzinfo=None)

    @property
    def text(self) -> str:
        """ISO 8601; `Z` where the local time of the recording is unknown, as in RFC 9557: `+00:00` is an offset."""
        return self.at.isoformat() if self.is_local else self.at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"

    def is_plausible(self, now: datetime) -> bool:
        """Whether it is neither in the future of `now` (aware) nor what a clock shows that was never set."""
        shown = self.at.replace(tzinfo=None)
        if shown in RESET_MIDNIGHTS or any(abs(shown - reset) < MAX_RESET_DISTANCE for reset in RESET_DATES):
            return False
        ahead = self.at - now if self.at.tzinfo else shown - now.replace(tzinfo=None)
        return shown >= EARLIEST and ahead <= MAX_AHEAD


def utc_time(at: datetime, source: DateSource) -> CaptureTime:
    """A point in time of a recording whose local time is unknown; `at` is aware."""
    return CaptureTime(at.astimezone(UTC), source, is_local=False)


def parse_capture_time(text: str, source: DateSource) -> CaptureTime:
    """The inverse of `CaptureTime.text`. Raises ValueError for anything but ISO 8601."""
    at = datetime.fromisoformat(text)
    return utc_time(at, source) if text.endswith("Z") else CaptureTime(at, source)


def file_time(location: Location) -> CaptureTime:
    """The modification time of a file."""
    return utc_time(datetime.fromtimestamp(location.modified_ns // 10**9, UTC), DateSource.FILE_TIME)


def first_plausible(times: Iterable[CaptureTime]) -> CaptureTime | None:
    """The first time that `is_plausible` now."""
    now = datetime.now(UTC)
    return next((time for time in times if time.is_plausible(now)), None)
