"""The timecode that a camera or recorder gave the first frame of a file."""

from __future__ import annotations

import re
from pathlib import Path

from pesearch.errors import FFmpegMissing, MediaError
from pesearch.media.probe import inspect

_TIMECODE = re.compile(r"(\d{1,2}):(\d\d):(\d\d)[:;.]\d{1,3}")


def read_timecode(path: Path) -> str | None:
    """As the file states it: `01:00:00:00`, or `10:09:58;00` when it is counted in drop frames; empty without one, None
    if the file cannot be read.

    FFmpeg finds it in the timecode tracks of MOV and MP4, in MXF, GXF, MPEG-2, DV, and in tags. Errors: FFmpegMissing.
    """
    try:
        sections = inspect(path).sections
    except FFmpegMissing:
        raise
    except MediaError:
        return None
    stated = (section.text("tag:timecode") for section in sections)
    return next((text for text in stated if _TIMECODE.fullmatch(text)), "")


def start_seconds(timecode: str) -> float | None:
    """A timecode in seconds, without its frames; None for an empty one."""
    found = _TIMECODE.fullmatch(timecode)
    return None if found is None else int(found[1]) * 3600.0 + int(found[2]) * 60 + int(found[3])
