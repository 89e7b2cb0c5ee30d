"""Times as tags of media files state them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pesearch.capture_time import CaptureTime, DateSource, utc_time

_STAMP = re.compile(
    r"(\d{4})(?:[-:/._ ](\d{1,2})[-:/._ ](\d{1,2})|(\d\d)(\d\d))"
    r"(?:[T ]+(\d{1,2})[:._ -](\d\d)(?:[:._ -](\d\d)(?:[.,](\d+))?)?)?"
    r"\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)


def parse_time_tag(text: str, source: DateSource) -> CaptureTime | None:
    """A whole date, with its time if there is one, else midnight; None for anything else, such as a year alone.

    ISO 8601, and the notations of yt-dlp (`20190704`), of EXIF (`2019:07:04 12:34:56`), of Broadcast Wave, where any
    separator is allowed (EBU Tech 3285), and of e-mail, which PNG recommends. With `Z` the local time of the recording
    is unknown; without an offset it is stated.
    """
    text = text.strip("\0 \t\r\n")
    try:
        if found := _STAMP.fullmatch(text):
            return _time(found, source)
        return utc_time(at, source) if (at := parsedate_to_datetime(text)).tzinfo is UTC else CaptureTime(at, source)
    except (ValueError, OverflowError):
        return None


def _time(found: re.Match[str], source: DateSource) -> CaptureTime:
    year, month, day = int(found[1]), int(found[2] or found[4]), int(found[3] or found[5])
    hour, minute, second = (int(part or 0) for part in found.group(6, 7, 8))
    at = datetime(year, month, day, hour, minute, second, int((found[9] or "")[:6].ljust(6, "0")))
    zone = found[10]
    if zone is None:
        return CaptureTime(at, source)
    if zone.isalpha():
        return utc_time(at.replace(tzinfo=UTC), source)
    return CaptureTime(datetime.fromisoformat(at.isoformat() + zone), source)
