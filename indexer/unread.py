"""The stretches of a file that are not in the library, collected while it is decoded, as remarks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pesearch.formatting import format_clock, format_span
from pesearch.types import Remark

MIN_SECONDS = 0.1
"""Shorter stretches are not worth a remark: less than a sixth of the interval between two frames that are embedded."""

POINT_SECONDS = 1.0
"""Shorter stretches are named by where they start: a frame that is missing stands for 0.6 s."""

MAX_PLACES = 4
"""Further stretches are counted."""

Segment = tuple[float, float]


class Unread(StrEnum):
    """Why a stretch is not in the library, in the words of its remark."""

    PICTURES = "pictures could not be decoded"
    SOUND = "sound could not be decoded"
    UNCHANGED = "left out, because there is no new picture and no sound"


class UnreadStretches:
    """Collects stretches of one file in order of time, and joins those that touch."""

    def __init__(self) -> None:
        self._stretches: dict[Unread, list[Segment]] = {reason: [] for reason in Unread}

    def add(self, reason: Unread, start_seconds: float, end_seconds: float) -> None:
        """Adds the stretch [start, end) of the file."""
        stretches = self._stretches[reason]
        if stretches and start_seconds - stretches[-1][1] < 1e-6:
            start_seconds = stretches.pop()[0]
        stretches.append((start_seconds, end_seconds))

    def remarks(self, duration_seconds: float) -> tuple[Remark, ...]:
        """One remark for each reason, with its seconds and the places in a file of this duration."""
        found = []
        for reason, stretches in self._stretches.items():
            seconds = sum(end - start for start, end in stretches)
            if seconds >= MIN_SECONDS:
                found.append(Remark(f"{reason} {_places(stretches, seconds, duration_seconds)}", round(seconds, 3)))
        return tuple(found)


def _places(stretches: Sequence[Segment], seconds: float, duration_seconds: float) -> str:
    """`at 00:12.0, 01:20.0-01:26.2`; `in the whole file` if only MIN_SECONDS are not concerned."""
    if seconds >= duration_seconds - MIN_SECONDS:
        return "in the whole file"
    named = [
        format_clock(start) if end - start < POINT_SECONDS else format_span(start, end)
        for start, end in stretches[:MAX_PLACES]
    ]
    more = [f"{len(stretches) - MAX_PLACES} more places"] if len(stretches) > MAX_PLACES else []
    listed = [*named, *more]
    return f"at {' and '.join([', '.join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)}"
