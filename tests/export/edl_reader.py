"""A reader of EDLs of its own: CMX3600 events, and timecode counted by the rules of SMPTE ST 12-1.

It shares no code with the writer: a timecode is counted minute by minute, as the standard defines it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_EVENT = re.compile(
    r"(?P<number>\d{3})  (?P<reel>[A-Z0-9_]{1,8}) {1,8}(?P<channels>B|V|A) +C +"
    r"(?P<source_in>\S+) (?P<source_out>\S+) (?P<record_in>\S+) (?P<record_out>\S+)"
)
_TIMECODE = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)([:;])(\d\d)")


@dataclass(frozen=True, slots=True)
class Event:
    """One cut; times as written, out times are those of the frame after the last one."""

    number: int
    reel: str
    channels: str
    source_in: str
    source_out: str
    record_in: str
    record_out: str


def read_edl(document: bytes) -> tuple[str, list[Event]]:
    """The frame count mode (`DROP FRAME` or `NON-DROP FRAME`), and the events. Raises ValueError for any other line."""
    title, mode, *lines = document.decode().split("\n")
    if not title.startswith("TITLE: ") or mode not in ("FCM: DROP FRAME", "FCM: NON-DROP FRAME"):
        raise ValueError(f"no head: {title!r}, {mode!r}")
    events = []
    for line in lines:
        if line and not line.startswith("* "):
            found = _EVENT.fullmatch(line)
            if found is None:
                raise ValueError(f"no event: {line!r}")
            number, *texts = found.groups()
            events.append(Event(int(number), *texts))
    return mode.removeprefix("FCM: "), events


def frames_since_midnight(timecode: str, frames_a_second: int) -> int:
    """Frames from 00:00:00:00 on; `frames_a_second` is 30 for 29.97. Raises ValueError for what does not exist."""
    found = _TIMECODE.fullmatch(timecode)
    if found is None:
        raise ValueError(f"no timecode: {timecode!r}")
    hours, minutes, seconds, frames = (int(found[group]) for group in (1, 2, 3, 5))
    minute = 60 * hours + minutes
    dropped = {";": {30: 2, 60: 4}, ":": {}}[found[4]].get(frames_a_second, None if found[4] == ";" else 0)
    if dropped is None or hours > 23 or frames >= frames_a_second:
        raise ValueError(f"no timecode of {frames_a_second} frames a second: {timecode!r}")
    if minute % 10 and not seconds and frames < dropped:
        raise ValueError(f"a dropped number: {timecode!r}")
    before = sum(60 * frames_a_second - (dropped if earlier % 10 else 0) for earlier in range(minute))
    return before + seconds * frames_a_second + frames - (dropped if minute % 10 else 0)


def frames_a_day(frames_a_second: int, *, drop_frame: bool) -> int:
    """The number of the last frame of a day, plus 1."""
    last = f"23:59:59{';' if drop_frame else ':'}{frames_a_second - 1:02d}"
    return frames_since_midnight(last, frames_a_second) + 1
