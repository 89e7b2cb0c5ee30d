"""The certainty of a term over the time of a file, and the intervals around its peaks.

A window is scored as a whole. Frames locate visual terms within it, and sound detections locate sounds: the certainty
of a window counts at these times, or over the whole window if neither locates the term.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pesearch.search.events.postprocess import find_runs
from pesearch.search.score.calibration import fuse, fuse_best_two
from pesearch.search.score.intervals import MAX_INTERVALS, Interval
from pesearch.search.score.normalization import Certainty
from pesearch.search.score.part_scores import SPACES, PartScores
from pesearch.timeline import STEPS_PER_SECOND, step_count
from pesearch.types import Event, SegmentArray, SpaceName

EDGE_RATIO = 0.5
"""An interval ends where its track falls below this share of its peak: the full width at half maximum."""

MIN_PEAK_RATIO = 0.1
"""Peaks below this share of the best one in the file make no interval."""

MIN_WINDOW_RATIO = MIN_PEAK_RATIO / 2
"""Windows below this share of the best one are skipped: a second space at most doubles their certainty, which stays
below MIN_PEAK_RATIO."""

MIN_FRAME_CERTAINTY = 0.3
"""Frames show where in a window a term is if one of them is at least this certain."""

_FRAME = SPACES.index(SpaceName.FRAME)
_VIDEO = SPACES.index(SpaceName.VIDEO)
_AUDIO = SPACES.index(SpaceName.AUDIO)
_AUDIO_VIDEO = SPACES.index(SpaceName.AUDIO_VIDEO)

Steps = npt.NDArray[np.float64]
"""A value for each 40 ms of a file."""


@dataclass(slots=True)
class SoundDetections:
    """PE-A-Frame's detections of one term in the analysed parts of a file.

    steps: float64 [steps], 1 inside events, 0 outside; NaN in parts that were not analysed or have no event.
    present: float64 [steps], the probability that the sound is anywhere in that part; NaN if it was not analysed.
    """

    steps: Steps
    present: Steps
    events: list[Event] = field(default_factory=list)

    @classmethod
    def empty(cls, duration_seconds: float) -> SoundDetections:
        """Detections of a file before any part is analysed."""
        count = max(step_count(duration_seconds), 1)
        return cls(np.full(count, np.nan), np.full(count, np.nan))

    def covers(self, windows: SegmentArray) -> npt.NDArray[np.bool_]:
        """Whether any step of each window [windows, 2] was analysed: bool [windows]."""
        known = np.concatenate([[0], np.cumsum(~np.isnan(self.present))])
        first, stop = (
            np.clip(np.rint(edge * STEPS_PER_SECOND), 0, len(self.present)).astype(int) for edge in windows.T
        )
        covered: npt.NDArray[np.bool_] = known[stop] > known[first]
        return covered

    def add(self, part: slice, presence: float, events: list[Event]) -> None:
        """Adds the probability that the sound occurs in the steps of a part, and the events located in it.

        Without events the sound could be anywhere in these steps: only its presence is recorded.
        """
        self.present[part] = presence
        if not events:
            return
        self.steps[part] = 0.0
        for event in events:
            self.steps[_step_range(event.start_seconds, event.end_seconds)] = 1.0
        self.events += events


def build_track(part: PartScores, term: int, detections: SoundDetections | None = None) -> Certainty:
    """The certainty of a term in each 40 ms step of a part, float64 [steps]; 0 in windows below MIN_WINDOW_RATIO."""
    certainties = np.zeros((len(SPACES), part.steps))
    frames = _frame_steps(part, term)
    if frames is not None:
        certainties[_FRAME] = frames
    levels = part.certainties[:, term].copy()
    if detections is not None:
        for row in np.flatnonzero(detections.covers(part.windows)):
            steps = _step_range(*part.windows[row])
            levels[row, _AUDIO] = _average_with_presence(levels[row, _AUDIO], detections, steps)
    best = levels.max(axis=1, initial=0.0)
    counted: list[int] = np.flatnonzero(best > MIN_WINDOW_RATIO * best.max(initial=0.0)).tolist()
    for number in counted:
        steps, level = _step_range(*part.windows[number].tolist()), levels[number].tolist()
        within = slice(steps.start - part.first_step, steps.stop - part.first_step)
        seen = None if frames is None else _frame_shape(frames[within])
        heard = None if detections is None else detections.steps[steps]
        for space, shape in ((_VIDEO, seen), (_AUDIO, heard), (_AUDIO_VIDEO, _union(seen, heard))):
            if level[space] > 0.0:
                values = certainties[space, within]
                np.maximum(values, _shaped(level[space], shape), out=values)
    return fuse(certainties.T)


def term_upper_bound(part: PartScores, term: int) -> float:
    """An upper bound of the track of a term, valid if there are no sound detections in the file."""
    by_space = part.certainties[:, term].max(axis=0, initial=0.0)
    if (frames := part.spaces.get(SpaceName.FRAME)) is not None:
        by_space[_FRAME] = frames.certainties[:, term].max(initial=0.0)
    *_, second, best = sorted(by_space.tolist())
    return float(fuse_best_two(best, second))


def find_intervals(track: Certainty, weight: float = 1.0, first_step: int = 0) -> list[Interval]:
    """The intervals around the peaks of a track that starts at `first_step`, best first, without overlaps."""
    top = float(track.max(initial=0.0))
    min_peak = max(MIN_PEAK_RATIO * top, 1e-6)
    if top <= min_peak:
        return []
    runs = find_runs(track >= EDGE_RATIO * min_peak)  # no interval extends beyond its run
    tops = np.array([track[start:stop].max() for start, stop in runs])
    intervals: list[Interval] = []
    for number in np.argsort(-tops, kind="stable")[:MAX_INTERVALS]:
        start, stop = runs[number]
        intervals += _around_peaks(track[start:stop].copy(), first_step + start, min_peak, weight)
    return sorted(intervals, key=lambda interval: (-interval.score, interval.start_seconds))[:MAX_INTERVALS]


def _around_peaks(track: Certainty, first_step: int, min_peak: float, weight: float) -> Iterator[Interval]:
    """The intervals of a piece of a track, whose values are set to 0 as they are consumed."""
    for _ in range(MAX_INTERVALS):
        at = int(track.argmax())
        if (peak := float(track[at])) <= min_peak:
            return
        low = track < EDGE_RATIO * peak
        before, after = np.flatnonzero(low[:at]), np.flatnonzero(low[at:])
        first = int(before[-1]) + 1 if len(before) else 0
        stop = at + int(after[0]) if len(after) else len(track)
        yield Interval((first_step + first) / STEPS_PER_SECOND, (first_step + stop) / STEPS_PER_SECOND, peak, weight)
        track[first:stop] = 0.0


def _step_range(start_seconds: float, end_seconds: float) -> slice:
    """The steps of a time range, at least one."""
    first = round(start_seconds * STEPS_PER_SECOND)
    return slice(first, max(round(end_seconds * STEPS_PER_SECOND), first + 1))


def _frame_steps(part: PartScores, term: int) -> Steps | None:
    """The certainty of the frame shown in each step; None if the part has no frames."""
    scored = part.spaces.get(SpaceName.FRAME)
    if scored is None:
        return None
    starts = np.ceil((scored.segments[1:, 0] - 1e-6) * STEPS_PER_SECOND).astype(np.int64) - part.first_step
    edges = np.concatenate([[0], np.clip(starts, 0, part.steps), [part.steps]])
    durations = edges[1:] - edges[:-1]
    steps: Steps = np.repeat(scored.certainties[:, term], durations)
    return steps


def _frame_shape(frames: Steps) -> Steps | None:
    """The frame certainties of a window, scaled to a maximum of 1; None if none reaches MIN_FRAME_CERTAINTY."""
    best = frames.max(initial=0.0)
    return frames / best if best >= MIN_FRAME_CERTAINTY else None


def _shaped(level: float, shape: Steps | None) -> Steps | float:
    """The level of a window where its shape is 1; NaN in a shape counts as 1."""
    return level if shape is None else level * np.fmin(shape, 1.0)


def _average_with_presence(level: float, detections: SoundDetections, steps: slice) -> float:
    """The mean of the certainty of the audio space and the presence that PE-A-Frame detected in the window."""
    return (level + float(np.nanmax(detections.present[steps]))) / 2


def _union(seen: Steps | None, heard: Steps | None) -> Steps | None:
    """The maximum of two shapes; None if there is neither."""
    if seen is None or heard is None:
        return heard if seen is None else seen
    return np.fmax(seen, heard)
