"""The certainty of a term over the time of a file, and the intervals around its peaks.

A window is scored as a whole. Frames locate visual terms within it, and sound detections locate sounds: the certainty
of a hypothesis counts at these times, or over the whole window if neither locates the term.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pesearch.search.events.postprocess import find_runs
from pesearch.search.score.hypotheses import Hypothesis
from pesearch.search.score.interval import Interval
from pesearch.search.score.match_threshold import Certainty
from pesearch.search.score.part_scores import PartScores
from pesearch.timeline import STEPS_PER_SECOND, step_count
from pesearch.types import Event, SegmentArray, SpaceName

MAX_INTERVALS = 48
"""A track makes at most this many intervals: those of its highest peaks."""

EDGE_RATIO = 0.5
"""An interval ends where its track falls below this share of its peak: the full width at half maximum."""

MIN_PEAK_RATIO = 0.1
"""Peaks below this share of the best one in the file make no interval."""

MIN_WINDOW_RATIO = MIN_PEAK_RATIO
"""Windows below this share of the best one are skipped: they make no peak."""

MIN_FRAME_CERTAINTY = 0.3
"""Frames show where in a window a term is if one of them is at least this certain."""

PRESENCE_WEIGHT = 1 / 3
"""Weight of the log odds of what PE-A-Frame detected in a window, against those of its embeddings."""

MAX_PRESENCE = 0.9
"""Upper bound of a detected presence, and its complement the lower: at a frame AUROC of 0.86, presence is right in nine
of ten windows."""

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
    track = np.zeros(part.steps)
    frames = _frame_steps(part, term)
    levels = part.certainties[:, term].copy()
    if detections is not None:
        for row in np.flatnonzero(detections.covers(part.windows)):
            steps = _step_range(*part.windows[row])
            for hypothesis in (Hypothesis.HEARD, Hypothesis.BOTH):
                levels[row, hypothesis] = _with_presence(levels[row, hypothesis], detections, steps)
    best = levels.max(axis=1, initial=0.0)
    counted: list[int] = np.flatnonzero(best > MIN_WINDOW_RATIO * best.max(initial=0.0)).tolist()
    for number in counted:
        steps, level = _step_range(*part.windows[number].tolist()), levels[number].tolist()
        within = slice(steps.start - part.first_step, steps.stop - part.first_step)
        seen = None if frames is None else _frame_shape(frames[within])
        heard = None if detections is None else detections.steps[steps]
        shapes = _shapes(seen, heard, level[Hypothesis.HEARD] >= level[Hypothesis.SEEN])
        for hypothesis, shape in shapes.items():
            if level[hypothesis] > 0.0:
                np.maximum(track[within], _shaped(level[hypothesis], shape), out=track[within])
    return track


def term_upper_bound(part: PartScores, term: int) -> float:
    """An upper bound of the track of a term, valid if there are no sound detections in the file."""
    return float(part.certainties[:, term].max(initial=0.0))


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


def _shapes(seen: Steps | None, heard: Steps | None, is_sound: bool) -> dict[Hypothesis, Steps | None]:
    """The shape of each hypothesis in a window.

    PE-AV's joint vectors of a sound are evidence that it is seen too: where no frame locates it and the window is as
    likely heard, events locate both.
    """
    shape_seen = heard if seen is None and is_sound else seen
    return {Hypothesis.SEEN: shape_seen, Hypothesis.HEARD: heard, Hypothesis.BOTH: _union(seen, heard)}


def _shaped(level: float, shape: Steps | None) -> Steps | float:
    """The level of a window where its shape is 1; NaN in a shape counts as 1."""
    return level if shape is None else level * np.fmin(shape, 1.0)


def _with_presence(level: float, detections: SoundDetections, steps: slice) -> float:
    """The certainty of a window together with the presence that PE-A-Frame detected in it, which counts as a third.

    Their log odds are averaged. A presence beyond MAX_PRESENCE either way is no surer: PE-A-Frame confuses sounds too.
    """
    presence = float(np.nanmax(detections.present[steps]))
    heard = _log_odds(min(max(presence, 1 - MAX_PRESENCE), MAX_PRESENCE))
    return 1 / (1 + math.exp(-((1 - PRESENCE_WEIGHT) * _log_odds(level) + PRESENCE_WEIGHT * heard)))


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, 1e-9), 1 - 1e-9)
    return math.log(bounded / (1 - bounded))


def _union(seen: Steps | None, heard: Steps | None) -> Steps | None:
    """The maximum of two shapes; None if there is neither."""
    if seen is None or heard is None:
        return heard if seen is None else seen
    return np.fmax(seen, heard)
