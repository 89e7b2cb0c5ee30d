"""Places cues on the clock of their file: those beyond its end are left out, and counted.

Subtitles of broadcasters begin at the timecode of the programme, mostly 10:00:00 or 01:00:00.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pesearch.cues import Cue, CueKind
from pesearch.formatting import format_clock

_MIN_SHARE = 0.9
"""Share of the subtitles that must be beyond the end to suspect another clock, and of those after its start that must
fit; up to half may be before it (tests of the line, leaders)."""

_TIMED = frozenset({CueKind.SUBTITLE, CueKind.CHAPTER})


@dataclass(frozen=True, slots=True)
class PlacedCues:
    """Cues on the clock of their file, not clipped yet, and what was done, a line each."""

    cues: tuple[Cue, ...]
    remarks: tuple[str, ...]


def place(cues: Sequence[Cue], duration_seconds: float, timecode_seconds: float | None = None) -> PlacedCues:
    """The cues that begin before the end of a file. `timecode_seconds` is the file's own timecode at its start.

    If nearly all subtitles are beyond the end, and fit when shifted by that timecode or by whole hours, they are.
    """
    shift = _shift(cues, duration_seconds, timecode_seconds)
    remarks = []
    if shift:
        cues = [_earlier(cue, shift) if cue.start_seconds >= duration_seconds else cue for cue in cues]
        remarks.append(f"timecodes from {format_clock(shift)} on: counted from there")
    kept = tuple(cue for cue in cues if _is_inside(cue, duration_seconds))
    if outside := len(cues) - len(kept):
        remarks.append(
            f"{outside:,} of {len(cues):,} cues left out: not within the file's {format_clock(duration_seconds)}"
        )
    return PlacedCues(kept, tuple(remarks))


def clip(cue: Cue, duration_seconds: float) -> Cue:
    """The part of a cue in [0, duration]; it ends before it starts if there is none."""
    start, end = max(cue.start_seconds, 0.0), min(max(cue.end_seconds, cue.start_seconds), duration_seconds)
    is_inside = (start, end) == (cue.start_seconds, cue.end_seconds)
    return cue if is_inside else replace(cue, start_seconds=start, end_seconds=end)


def _shift(cues: Sequence[Cue], duration_seconds: float, timecode_seconds: float | None) -> float:
    """Seconds to subtract from all subtitles beyond the end; 0.0 if there is no such number."""
    starts = sorted(cue.start_seconds for cue in cues if cue.kind is CueKind.SUBTITLE)
    beyond = [start for start in starts if start >= duration_seconds]
    if duration_seconds <= 0 or not beyond or len(beyond) < _MIN_SHARE * len(starts):
        return 0.0
    hours = (math.floor(start / 3600) * 3600.0 for start in (beyond[0], beyond[-1]))
    candidates = [shift for shift in (timecode_seconds, *hours) if shift]
    for shift in candidates:
        later = [start for start in beyond if start >= shift]
        fitting = sum(start - shift < duration_seconds for start in later)
        if fitting >= max(_MIN_SHARE * len(later), len(beyond) / 2):
            return shift
    return 0.0


def _earlier(cue: Cue, shift: float) -> Cue:
    return replace(cue, start_seconds=cue.start_seconds - shift, end_seconds=cue.end_seconds - shift)


def _is_inside(cue: Cue, duration_seconds: float) -> bool:
    if cue.kind not in _TIMED:
        return True
    begins = cue.start_seconds < duration_seconds or cue.start_seconds <= 0  # a still has no duration
    return begins and (cue.end_seconds > 0 or cue.start_seconds >= 0)
