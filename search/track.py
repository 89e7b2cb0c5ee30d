"""How surely a term is there over the time of a file, and the stretches in which it is.

A window says whether something is in its ten seconds. When it is, its frames say for what is seen, and PE-A-Frame for
what is heard: a window's certainty counts where these place it, and everywhere in the window where nothing does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pesearch.search.background import Certainty
from pesearch.search.calibrate import fuse
from pesearch.search.combine import MOST_STRETCHES, Stretch
from pesearch.search.score import SPACES, FileScores
from pesearch.search.spans import presence
from pesearch.timeline import STEPS_PER_SECOND, step_count
from pesearch.types import Event, FloatArray, SpaceName

EDGE_SHARE = 0.5
"""A stretch ends where its track falls under this share of its peak: the full width at half maximum."""

LEAST_SHARE = 0.1
"""Peaks under this share of the best one in the file are no stretches of their own."""

PLACED = 0.3
"""Frames place what a window shows where one of them is at least this certain of it."""

_FRAME, _VIDEO = SPACES.index(SpaceName.FRAME), SPACES.index(SpaceName.VIDEO)
_AUDIO, _BOTH = SPACES.index(SpaceName.AUDIO), SPACES.index(SpaceName.AUDIO_VIDEO)

Steps = npt.NDArray[np.float64]
"""A value for each 40 ms of a file."""


@dataclass(slots=True)
class Hearing:
    """What PE-A-Frame heard of one term in parts of a file: `steps` is 1 where it is, 0 where it is not, NaN where
    nothing was listened to; `present` how surely it is there at all, NaN likewise."""

    steps: Steps
    present: Steps
    events: list[Event] = field(default_factory=list)

    @classmethod
    def nothing(cls, duration_seconds: float) -> Hearing:
        """Before anything is listened to."""
        count = max(step_count(duration_seconds), 1)
        return cls(np.full(count, np.nan), np.full(count, np.nan))

    def add(self, first_step: int, probabilities: FloatArray, events: list[Event]) -> None:
        """Steps from `first_step` on, float32 [n], and the events that were located in them.

        Where no event was located the sound may be anywhere: only its presence is known.
        """
        part = slice(first_step, first_step + len(probabilities))
        self.present[part] = presence(probabilities)
        if not events:
            return
        self.steps[part] = 0.0
        for event in events:
            self.steps[_part(event.start_seconds, event.end_seconds)] = 1.0
        self.events += events


def track(file: FileScores, term: int, hearing: Hearing | None = None) -> Certainty:
    """How surely a term is there in each 40 ms step of a file, float64 [steps]; a still image has one step."""
    count = max(step_count(file.file.info.duration_seconds), 1)
    certain = np.zeros((count, len(SPACES)))
    frames = _frame_steps(file, term, count)
    if frames is not None:
        certain[:, _FRAME] = frames
    for (start, end), sure in zip(file.cells, file.certainties[:, term], strict=True):
        if not sure.any():
            continue
        part = _part(start, end)
        seen = None if frames is None else _shape(frames[part])
        heard = None if hearing is None else hearing.steps[part]
        sound = _with_hearing(sure[_AUDIO], hearing, part)
        placed = ((_VIDEO, sure[_VIDEO], seen), (_AUDIO, sound, heard), (_BOTH, sure[_BOTH], _either(seen, heard)))
        for space, level, shape in placed:
            certain[part, space] = np.maximum(certain[part, space], _placed(level, shape))
    return fuse(certain)


def stretches(values: Certainty, weight: float = 1.0) -> list[Stretch]:
    """The stretches around the peaks of a track, best first; none of them overlap."""
    left, found = values.copy(), list[Stretch]()
    least = LEAST_SHARE * left.max(initial=0.0)
    while len(found) < MOST_STRETCHES and (peak := float(left.max(initial=0.0))) > max(least, 1e-6):
        at = int(left.argmax())
        low = left < EDGE_SHARE * peak
        before, after = np.flatnonzero(low[:at]), np.flatnonzero(low[at:])
        first = int(before[-1]) + 1 if len(before) else 0
        stop = at + int(after[0]) if len(after) else len(left)
        found.append(Stretch(first / STEPS_PER_SECOND, stop / STEPS_PER_SECOND, peak, weight))
        left[first:stop] = 0.0
    return found


def _part(start_seconds: float, end_seconds: float) -> slice:
    """The steps of a stretch, at least one."""
    first = round(start_seconds * STEPS_PER_SECOND)
    return slice(first, max(round(end_seconds * STEPS_PER_SECOND), first + 1))


def _frame_steps(file: FileScores, term: int, count: int) -> Steps | None:
    """The certainty of the frame that is shown in each step; None where the file has no frames."""
    scored = file.spaces.get(SpaceName.FRAME)
    if scored is None:
        return None
    times = np.arange(count) / STEPS_PER_SECOND
    shown = np.searchsorted(scored.segments[:, 0], times + 1e-6, side="right") - 1
    steps: Steps = scored.certainties[np.maximum(shown, 0), term]
    return steps


def _shape(steps: Steps) -> Steps | None:
    """Where in a window frames place what is seen, in 0..1; None where none of them is certain enough."""
    best = steps.max(initial=0.0)
    return steps / best if best >= PLACED else None


def _placed(sure: float, shape: Steps | None) -> Steps | float:
    return sure if shape is None else sure * np.nan_to_num(shape, nan=1.0)


def _with_hearing(sure: float, hearing: Hearing | None, part: slice) -> float:
    """The certainty of the audio space, averaged with what PE-A-Frame heard where it listened."""
    if hearing is None or np.isnan(present := hearing.present[part]).all():
        return sure
    return (sure + float(np.nanmax(present))) / 2


def _either(seen: Steps | None, heard: Steps | None) -> Steps | None:
    """Where it is seen or heard; None where nothing places it."""
    if seen is None or heard is None:
        return heard if seen is None else seen
    return np.fmax(seen, heard)
