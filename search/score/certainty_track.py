"""How surely a term is there over the time of a file, and the stretches in which it is.

A window says whether something is in its ten seconds. When it is, its frames say for what is seen, and PE-A-Frame for
what is heard: a window's certainty counts where these place it, and everywhere in the window where nothing does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pesearch.search.events.postprocess import presence, runs
from pesearch.search.score.calibration import agreed, fuse
from pesearch.search.score.intervals import MAX_INTERVALS, Interval
from pesearch.search.score.normalization import Certainty
from pesearch.search.score.part_scores import SPACES, PartScores
from pesearch.timeline import STEPS_PER_SECOND, step_count
from pesearch.types import Event, FloatArray, SegmentArray, SpaceName

EDGE_SHARE = 0.5
"""A stretch ends where its track falls under this share of its peak: the full width at half maximum."""

LEAST_SHARE = 0.1
"""Peaks under this share of the best one in the file are no stretches of their own."""

IGNORED_SHARE = LEAST_SHARE / 2
"""A window this unsure beside the best one can make no such peak: a second space at most doubles what it counts."""

PLACED = 0.3
"""Frames place what a window shows where one of them is at least this certain of it."""

_FRAME, _VIDEO = SPACES.index(SpaceName.FRAME), SPACES.index(SpaceName.VIDEO)
_AUDIO, _BOTH = SPACES.index(SpaceName.AUDIO), SPACES.index(SpaceName.AUDIO_VIDEO)

Steps = npt.NDArray[np.float64]
"""A value for each 40 ms of a file."""


@dataclass(slots=True)
class SoundDetections:
    """What PE-A-Frame heard of one term in parts of a file: `steps` is 1 where it is, 0 where it is not, NaN where
    nothing was listened to; `present` how surely it is there at all, NaN likewise."""

    steps: Steps
    present: Steps
    events: list[Event] = field(default_factory=list)

    @classmethod
    def nothing(cls, duration_seconds: float) -> SoundDetections:
        """Before anything is listened to."""
        count = max(step_count(duration_seconds), 1)
        return cls(np.full(count, np.nan), np.full(count, np.nan))

    def heard_in(self, cells: SegmentArray) -> npt.NDArray[np.bool_]:
        """In which windows [cells, 2] anything was listened to: bool [cells]."""
        known = np.concatenate([[0], np.cumsum(~np.isnan(self.present))])
        first, stop = (np.clip(np.rint(edge * STEPS_PER_SECOND), 0, len(self.present)).astype(int) for edge in cells.T)
        heard: npt.NDArray[np.bool_] = known[stop] > known[first]
        return heard

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
            self.steps[_step_range(event.start_seconds, event.end_seconds)] = 1.0
        self.events += events


def track(part: PartScores, term: int, hearing: SoundDetections | None = None) -> Certainty:
    """How surely a term is there in each 40 ms step of a part of a file, float64 [steps].

    A window that is too unsure to make a stretch beside the best one counts as 0.
    """
    certain = np.zeros((len(SPACES), part.steps))
    frames = _frame_steps(part, term)
    if frames is not None:
        certain[_FRAME] = frames
    levels = part.certainties[:, term].copy()
    if hearing is not None:
        for heard_cell in np.flatnonzero(hearing.heard_in(part.cells)):
            whole = _step_range(*part.cells[heard_cell])
            levels[heard_cell, _AUDIO] = _with_hearing(levels[heard_cell, _AUDIO], hearing, whole)
    surest = levels.max(axis=1, initial=0.0)
    certain_enough: list[int] = np.flatnonzero(surest > IGNORED_SHARE * surest.max(initial=0.0)).tolist()
    for cell in certain_enough:
        whole, sure = _step_range(*part.cells[cell].tolist()), levels[cell].tolist()
        within = slice(whole.start - part.first_step, whole.stop - part.first_step)
        seen = None if frames is None else _shape(frames[within])
        heard = None if hearing is None else hearing.steps[whole]
        for space, shape in ((_VIDEO, seen), (_AUDIO, heard), (_BOTH, _either(seen, heard))):
            if sure[space] > 0.0:
                steps = certain[space, within]
                np.maximum(steps, _placed(sure[space], shape), out=steps)
    return fuse(certain.T)


def surest(part: PartScores, term: int) -> float:
    """No step of a track is more certain, unless something was heard of the file."""
    spaces = part.certainties[:, term].max(axis=0, initial=0.0)
    if (frames := part.spaces.get(SpaceName.FRAME)) is not None:
        spaces[_FRAME] = frames.certainties[:, term].max(initial=0.0)
    *_, second, best = sorted(spaces.tolist())
    return float(agreed(best, second))


def stretches(values: Certainty, weight: float = 1.0, first_step: int = 0) -> list[Interval]:
    """The stretches around the peaks of a track that begins at a step of its file, best first; none overlap."""
    top = float(values.max(initial=0.0))
    least = max(LEAST_SHARE * top, 1e-6)
    if top <= least:
        return []
    parts = runs(values >= EDGE_SHARE * least)  # no stretch reaches from one to another
    tops = np.array([values[start:stop].max() for start, stop in parts])
    found: list[Interval] = []
    for number in np.argsort(-tops, kind="stable")[:MAX_INTERVALS]:
        start, stop = parts[number]
        found += _around_peaks(values[start:stop].copy(), first_step + start, least, weight)
    return sorted(found, key=lambda each: (-each.score, each.start_seconds))[:MAX_INTERVALS]


def _around_peaks(left: Certainty, offset: int, least: float, weight: float) -> Iterator[Interval]:
    """The stretches in a part of a track that begins at step `offset`: `left` is what is left of it."""
    for _ in range(MAX_INTERVALS):
        at = int(left.argmax())
        if (peak := float(left[at])) <= least:
            return
        low = left < EDGE_SHARE * peak
        before, after = np.flatnonzero(low[:at]), np.flatnonzero(low[at:])
        first = int(before[-1]) + 1 if len(before) else 0
        stop = at + int(after[0]) if len(after) else len(left)
        yield Interval((offset + first) / STEPS_PER_SECOND, (offset + stop) / STEPS_PER_SECOND, peak, weight)
        left[first:stop] = 0.0


def _step_range(start_seconds: float, end_seconds: float) -> slice:
    """The steps of a stretch, at least one."""
    first = round(start_seconds * STEPS_PER_SECOND)
    return slice(first, max(round(end_seconds * STEPS_PER_SECOND), first + 1))


def _frame_steps(part: PartScores, term: int) -> Steps | None:
    """The certainty of the frame that is shown in each step; None where there are no frames."""
    scored = part.spaces.get(SpaceName.FRAME)
    if scored is None:
        return None
    begins = np.ceil((scored.segments[1:, 0] - 1e-6) * STEPS_PER_SECOND).astype(np.int64) - part.first_step
    edges = np.concatenate([[0], np.clip(begins, 0, part.steps), [part.steps]])
    shown = edges[1:] - edges[:-1]
    steps: Steps = np.repeat(scored.certainties[:, term], shown)
    return steps


def _shape(steps: Steps) -> Steps | None:
    """Where in a window frames place what is seen, in 0..1; None where none of them is certain enough."""
    best = steps.max(initial=0.0)
    return steps / best if best >= PLACED else None


def _placed(sure: float, shape: Steps | None) -> Steps | float:
    """Shapes are at most 1, which is what holds where one is not known."""
    return sure if shape is None else sure * np.fmin(shape, 1.0)


def _with_hearing(sure: float, hearing: SoundDetections, part: slice) -> float:
    """The certainty of the audio space, averaged with what PE-A-Frame heard in the window."""
    return (sure + float(np.nanmax(hearing.present[part]))) / 2


def _either(seen: Steps | None, heard: Steps | None) -> Steps | None:
    """Where it is seen or heard; None where nothing places it."""
    if seen is None or heard is None:
        return heard if seen is None else seen
    return np.fmax(seen, heard)
