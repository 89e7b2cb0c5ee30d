"""The unit of export: an interval of one media file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.locations import can_reach
from pesearch.types import Event, MediaFile, MediaInfo, MediaKind, Moment

STILL_SECONDS = 5.0
"""Duration of a still image on a timeline, in a playlist and as a clip."""

_MIN_SECONDS = 0.001
"""Shortest interval: one millisecond, the resolution of the JSON."""


@dataclass(frozen=True, slots=True)
class Selection:
    """An interval of a media file that the user selected. `label` is the query that found it, `score` its score.

    `media` is None for a file that was never probed and cannot be now, for example one on an offline drive. `timecode`
    is that of the first frame, as the file states it; empty if it has none, None if it was not read. Sound recorders
    state `time_reference_seconds` instead: from midnight to the first sample, exactly. `file` is the file
    of the library that it was found in, if any: clips show its indexed content only.
    """

    path: Path
    start_seconds: float
    end_seconds: float
    label: str = ""
    score: float | None = None
    events: tuple[Event, ...] = ()
    media: MediaInfo | None = None
    file: MediaFile | None = None
    timecode: str | None = None
    time_reference_seconds: Fraction | None = None

    @classmethod
    def from_moment(cls, moment: Moment, query: str) -> Selection:
        """Select a search result."""
        file = moment.file
        start, end = moment.start_seconds, moment.end_seconds
        return cls(file.path, start, end, query, moment.score, moment.events, file.info, file)

    @property
    def is_still(self) -> bool:
        """Whether it is an image; without media info, whether its end is 0, as `pesearch query` writes images."""
        if self.media is None:
            return self.end_seconds < _MIN_SECONDS / 2
        return self.media.kind is MediaKind.IMAGE

    @property
    def has_pictures(self) -> bool:
        """Whether there is a video stream or image; assumed without media info."""
        return self.media is None or self.media.video is not None

    @property
    def has_sound(self) -> bool:
        """Whether there is an audio stream; assumed without media info, except for stills."""
        return not self.is_still if self.media is None else self.media.audio is not None

    @property
    def frames_per_second(self) -> float | None:
        """The measured average frame rate; None for sound, for stills, and without media info."""
        if self.is_still or self.media is None or self.media.video is None:
            return None
        return self.media.video.frames_per_second

    @property
    def duration_seconds(self) -> float:
        """Duration of the whole file; without media info, the end of the selection."""
        if self.is_still:
            return STILL_SECONDS
        return self.end_seconds if self.media is None else self.media.duration_seconds

    @property
    def is_past_end(self) -> bool:
        """Whether it begins after the end of its file."""
        return not self.is_still and self.start_seconds > self.duration_seconds + _MIN_SECONDS

    @property
    def interval_seconds(self) -> tuple[float, float]:
        """Start and end, clamped to the file and at least 1 ms apart. (0, STILL_SECONDS) for a still."""
        if self.is_still:
            return 0.0, STILL_SECONDS
        limit = math.inf if self.media is None else max(self.duration_seconds, _MIN_SECONDS)
        start = min(max(self.start_seconds, 0.0), limit - _MIN_SECONDS)
        return start, min(max(self.end_seconds, start + _MIN_SECONDS), limit)

    def padded(self, seconds: float) -> Selection:
        """Extend both ends by `seconds`, within the file. The end stays where the duration is unknown."""
        if self.is_still:
            return self
        start, end = self.interval_seconds
        limit = self.duration_seconds
        return replace(self, start_seconds=max(start - seconds, 0.0), end_seconds=max(min(end + seconds, limit), end))


def with_media_info(selection: Selection) -> Selection:
    """Probe the file if `media` is missing. Unchanged if the file is missing or unreadable."""
    from pesearch.media.probe import probe

    if selection.media is not None or not can_reach(selection.path):
        return selection
    try:
        return replace(selection, media=probe(selection.path))
    except MediaError:
        return selection  # lists do not need it, and cutting a clip reports the error


def with_timecode(selection: Selection) -> Selection:
    """Read the timecode or time reference of the file. Unchanged if it is offline. Errors: FFmpegMissing."""
    from pesearch.media.source_timecode import read_time_reference, read_timecode

    if selection.is_still or not can_reach(selection.path):
        return selection
    timecode, reference = read_timecode(selection.path), read_time_reference(selection.path)
    return replace(selection, timecode=timecode, time_reference_seconds=reference)


def merge_overlaps(selections: Sequence[Selection]) -> list[Selection]:
    """Selections of one file that overlap become one, in the place of the first: its label is that of all."""
    by_time = sorted(enumerate(selections), key=lambda ranked: _place_in_time(ranked[1]))
    groups: list[list[int]] = []
    latest, end = None, 0.0
    for rank, selection in by_time:
        start, own_end = selection.interval_seconds
        if latest == selection.path and start < end and not selection.is_still:
            groups[-1].append(rank)
            end = max(end, own_end)
        else:
            groups.append([rank])
            latest, end = selection.path, own_end
    by_rank = sorted(sorted(group) for group in groups)
    return [_joined([selections[rank] for rank in group]) for group in by_rank]


def _place_in_time(selection: Selection) -> tuple[Path, bool, float]:
    """Sorts by file and start; stills, which stay as they are, after the others of a file."""
    return selection.path, selection.is_still, selection.interval_seconds[0]


def _joined(selections: Sequence[Selection]) -> Selection:
    first = selections[0]
    if len(selections) == 1:
        return first
    scores = [each.score for each in selections if each.score is not None]
    events = dict.fromkeys(event for each in selections for event in each.events)
    return replace(
        first,
        start_seconds=min(each.start_seconds for each in selections),
        end_seconds=max(each.end_seconds for each in selections),
        label=combined_title(selections) if any(each.label for each in selections) else "",
        score=max(scores, default=None),
        events=tuple(sorted(events, key=lambda event: event.start_seconds)),
    )


def combined_title(selections: Sequence[Selection]) -> str:
    """The distinct labels, joined by commas; "pesearch" if there are none."""
    return ", ".join(dict.fromkeys(selection.label for selection in selections if selection.label)) or "pesearch"


def unique_paths(selections: Iterable[Selection]) -> list[Path]:
    """The distinct files, in order of first use."""
    return list(dict.fromkeys(selection.path for selection in selections))
