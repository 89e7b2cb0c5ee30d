"""The timecode that a camera or recorder gave the first frame of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from pesearch.errors import FFmpegMissing, MediaError
from pesearch.media.ffprobe import Section
from pesearch.media.probe import inspect

_WAVE = frozenset({"wav", "w64"})
"""FFmpeg's names of WAV, RF64 and BW64, and of Wave64."""

_TIMECODE = re.compile(r"(\d{1,2}):(\d\d):(\d\d)[:;.]\d{1,3}")


def read_timecode(path: Path) -> str | None:
    """As the file states it: `01:00:00:00`, or `10:09:58;00` when it is counted in drop frames; empty without one, None
    if the file cannot be read.

    FFmpeg finds it in the timecode tracks of MOV and MP4, in MXF, GXF, DV, and in tags. That of the pictures themselves
    (GOP headers of MPEG-2, SEI of H.264) is not read. Errors: FFmpegMissing.
    """
    sections = _sections(path)
    if sections is None:
        return None
    stated = (section.text("tag:timecode") for section in sections)
    return next((text for text in stated if _TIMECODE.fullmatch(text)), "")


def read_time_reference(path: Path) -> Fraction | None:
    """Seconds from midnight to the first sample of a Broadcast Wave file, as sound recorders write it: the time
    reference of its `bext` chunk (EBU Tech 3285), in samples. None without one. Errors: FFmpegMissing.

    Other formats are not asked: they keep the number as a tag when sound is resampled.
    """
    sections = _sections(path) or ()
    is_wave = any(section.text("format_name") in _WAVE for section in sections)
    samples = next((text for section in sections if (text := section.text("tag:time_reference")).isdecimal()), "")
    sample_rate = next((rate for section in sections if (rate := section.count("sample_rate"))), 0)
    return Fraction(int(samples), sample_rate) if is_wave and samples and sample_rate else None


def _sections(path: Path) -> Sequence[Section] | None:
    """What ffprobe says about a file; None if it cannot be read. Errors: FFmpegMissing."""
    try:
        return inspect(path).sections
    except FFmpegMissing:
        raise
    except MediaError:
        return None


def start_seconds(timecode: str) -> float | None:
    """A timecode in seconds, without its frames; None for an empty one."""
    found = _TIMECODE.fullmatch(timecode)
    return None if found is None else int(found[1]) * 3600.0 + int(found[2]) * 60 + int(found[3])
