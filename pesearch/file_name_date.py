"""The date in the name of a file, as cameras, phones, messengers and screen recorders write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pesearch.capture_time import CaptureTime, DateSource, utc_time

_MONTH, _DAY = r"(0[1-9]|1[0-2])", r"(0[1-9]|[12]\d|3[01])"
_DATE = rf"((?:19|20)\d\d)(?:{_MONTH}{_DAY}|([-._ :]){_MONTH}\4{_DAY}|_{_MONTH}{_DAY}(?=_\d{{6}}))"
_BETWEEN = r"(?:[ ,_T-]{0,3}|[ _]{1,2}[^\W\d_]{1,4}[ _]{1,2}(?=\d{1,2}[.:_h-]))"
_TIME = r"(\d{1,2})([.:_h-]?)(\d\d)(?:[.:_m-]?(\d\d)(?:[._,-]?(\d{3}))?)?(?!\d)(?: ?([ap])\.?m\b)?"
_STAMP = re.compile(rf"(?<!\d){_DATE}(?:{_BETWEEN}{_TIME})?(?!\d)", re.IGNORECASE)
_EPOCH_MS = re.compile(r"(?:^|[A-Za-z_])(1[0-9]{12})(?!\d)")
"""Milliseconds since 1970, as in `FB_IMG_1562236496000` and `mmexport1562236496000`: 2001 to 2033."""

_UTC_BEFORE = re.compile(r"(?:PXL_|GMT)$", re.IGNORECASE)
_UTC_AFTER = re.compile(r"(?:Z|[ _-]?UTC)(?![a-z])", re.IGNORECASE)
_SPACES = str.maketrans("\u00a0\u2007\u202f", "   ")
"""macOS separates the time from AM and PM by a narrow space."""


def file_name_date(name: str) -> CaptureTime | None:
    """The first date in a file name, with its time if there is one, else midnight.

    `VID_20190704_123456.mp4`, `IMG-20190704-WA0001.jpg`, `2019-07-04 12.34.56.mov`, `2019_0704_123456_001.MP4`,
    `Screen Recording 2019-07-04 at 1.34.56 PM.mov`. Names of Google's Pixel (`PXL_`) and of Zoom (`GMT`) are in UTC;
    others in the local time of the recording. Day before month, or after it at the end, is ambiguous and not read.
    """
    name = name.translate(_SPACES)
    for found in _STAMP.finditer(name):
        at = _datetime(found)
        if at is not None:
            is_utc = _UTC_BEFORE.search(name[: found.start()]) or _UTC_AFTER.match(name, found.end())
            is_timed = found[9] is not None
            return (
                utc_time(at.replace(tzinfo=UTC), DateSource.FILE_NAME)
                if is_utc and is_timed
                else CaptureTime(at, DateSource.FILE_NAME)
            )
    if epoch := _EPOCH_MS.search(name):
        return utc_time(datetime.fromtimestamp(int(epoch[1]) // 1000, UTC), DateSource.FILE_NAME)
    return None


def _datetime(found: re.Match[str]) -> datetime | None:
    """The date, with the time if both are valid; None for days that do not exist (31 June)."""
    month, day = found[2] or found[5] or found[7], found[3] or found[6] or found[8]
    try:
        at = datetime(int(found[1]), int(month), int(day))
    except ValueError:
        return None
    if found[9] is None:
        return at
    hour, minute, second = int(found[9]), int(found[11]), int(found[12] or 0)
    if found[14]:
        hour = hour % 12 + (12 if found[14].lower() == "p" else 0)
    try:
        return at.replace(hour=hour, minute=minute, second=second, microsecond=int(found[13] or 0) * 1000)
    except ValueError:
        return at
