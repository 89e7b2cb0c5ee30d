"""A moment that somebody chose to take along."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.types import Event, MediaInfo, MediaKind, Moment

STILL_SECONDS = 5.0
"""A still image is shown for so long where it stands among moving pictures."""

_LEAST_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Selection:
    """A stretch of one media file, and why it was chosen. `label` is what was asked, `score` what the answer gave it.

    `media` is what the file holds; None where nobody knows (it is away, and was never indexed).
    """

    path: Path
    start_seconds: float
    end_seconds: float
    label: str = ""
    score: float | None = None
    events: tuple[Event, ...] = ()
    media: MediaInfo | None = None

    @classmethod
    def of(cls, moment: Moment, query: str) -> Selection:
        """The choice of a moment that answered a query."""
        file = moment.file
        return cls(file.path, moment.start_seconds, moment.end_seconds, query, moment.score, moment.events, file.info)

    @property
    def is_still(self) -> bool:
        """A picture without time."""
        if self.media is None:
            return self.end_seconds < _LEAST_SECONDS / 2  # written as 0
        return self.media.kind is MediaKind.IMAGE

    @property
    def has_pictures(self) -> bool:
        """Where nobody knows, it has."""
        return self.media is None or self.media.video is not None

    @property
    def has_sound(self) -> bool:
        """Where nobody knows, it has, unless it is a still."""
        return not self.is_still if self.media is None else self.media.audio is not None

    @property
    def frames_per_second(self) -> float | None:
        """The average rate of the pictures as measured; None for sound, stills, and where nobody knows."""
        if self.is_still or self.media is None or self.media.video is None:
            return None
        return self.media.video.frames_per_second

    @property
    def duration_seconds(self) -> float:
        """How long the file lasts: at least as long as the moment, where nobody knows."""
        if self.is_still:
            return STILL_SECONDS
        return self.end_seconds if self.media is None else self.media.duration_seconds

    @property
    def stretch_seconds(self) -> tuple[float, float]:
        """Start and end inside the file, never empty; a still is shown from 0 on."""
        if self.is_still:
            return 0.0, STILL_SECONDS
        last = math.inf if self.media is None else max(self.duration_seconds, _LEAST_SECONDS)
        start = min(max(self.start_seconds, 0.0), last - _LEAST_SECONDS)
        return start, min(max(self.end_seconds, start + _LEAST_SECONDS), last)

    def padded(self, seconds: float) -> Selection:
        """With so much more before and after it, as far as the file goes. What lasts an unknown time ends as it did."""
        if self.is_still:
            return self
        start, end = self.stretch_seconds
        last = self.duration_seconds
        return replace(self, start_seconds=max(start - seconds, 0.0), end_seconds=max(min(end + seconds, last), end))


def looked_up(choice: Selection) -> Selection:
    """With what the file holds, read from it where that is not known; as it was, where it is away or unreadable."""
    from pesearch.media.probe import probe

    if choice.media is not None or not choice.path.exists():
        return choice
    try:
        return replace(choice, media=probe(choice.path))
    except MediaError:
        return choice  # lists can do without; cutting a clip will say what is wrong with it


def title_of(choices: Sequence[Selection]) -> str:
    """What all of them were chosen for: the labels, each once."""
    return ", ".join(dict.fromkeys(each.label for each in choices if each.label)) or "pesearch"


def files_of(choices: Iterable[Selection]) -> list[Path]:
    """Their files, each once, in the order of the choices."""
    return list(dict.fromkeys(each.path for each in choices))
