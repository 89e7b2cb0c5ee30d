"""Certainty of a term over the time of a file, and the intervals around its peaks."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.locations import Location
from pesearch.search.score.certainty_track import (
    EDGE_RATIO,
    MIN_PEAK_RATIO,
    SoundDetections,
    build_track,
    find_intervals,
    term_upper_bound,
)
from pesearch.search.score.intervals import MAX_INTERVALS, Interval
from pesearch.search.score.normalization import Certainty
from pesearch.search.score.part_scores import SPACES, PartScores, SpaceScores
from pesearch.search.score.window_pooling import file_windows
from pesearch.timeline import STEPS_PER_SECOND, grid
from pesearch.types import AudioStream, Event, MediaFile, MediaInfo, MediaKind, Part, SpaceName


def file_of(seconds: float, levels: dict[SpaceName, float], frames: dict[float, float] | None = None) -> PartScores:
    """A file whose windows all have the certainties `levels`, and whose frames have those of `frames` by their time."""
    info = MediaInfo(MediaKind.VIDEO, seconds, None, AudioStream("aac", 48_000, 1))
    file = MediaFile(1, "print", info, (Location(Path("/a.mp4"), 1, 1),))
    windows = file_windows(file)
    certainties = np.zeros((len(windows), 1, len(SPACES)))
    for space, level in levels.items():
        certainties[:, 0, SPACES.index(space)] = level
    spaces = {}
    if frames is not None:
        times = grid(0.0, seconds)
        frame_certainties = np.array([[frames.get(float(time), 0.0)] for time in times])
        zeros = np.zeros(len(times))
        segments = np.stack([times, times + 0.625], axis=1)
        spaces[SpaceName.FRAME] = SpaceScores(
            segments, zeros.astype(np.float32), zeros.astype(np.int64), frame_certainties
        )
    return PartScores(file, Part(1, 0.0, math.inf), windows, certainties, spaces)


def test_without_frames_or_detections_a_window_counts_as_a_whole() -> None:
    values = build_track(file_of(10.0, {SpaceName.AUDIO: 0.8}), 0)
    assert len(values) == 10 * STEPS_PER_SECOND
    assert values == pytest.approx(0.8)


def test_frames_locate_what_a_window_shows() -> None:
    values = build_track(file_of(10.0, {SpaceName.VIDEO: 0.9}, {5.0: 0.6, 5.625: 0.6}), 0)
    (best, *_) = find_intervals(values)
    assert (best.start_seconds, best.end_seconds) == pytest.approx((5.0, 6.25), abs=0.04)
    assert best.score > 0.9


def test_uncertain_frames_locate_nothing() -> None:
    (only,) = find_intervals(build_track(file_of(10.0, {SpaceName.VIDEO: 0.9}, {5.0: 0.1}), 0))
    assert (only.start_seconds, only.end_seconds) == (0.0, 10.0)


def detected(seconds: float, level: float, *events: Event) -> SoundDetections:
    detections = SoundDetections.empty(seconds)
    detections.add(slice(0, round(seconds * STEPS_PER_SECOND)), level, list(events))
    return detections


def test_an_event_locates_a_sound() -> None:
    file = file_of(10.0, {SpaceName.AUDIO: 0.8})
    (only,) = find_intervals(build_track(file, 0, detected(10.0, 0.9, Event("siren", 2.0, 4.2, 0.9))))
    assert (only.start_seconds, only.end_seconds) == pytest.approx((2.0, 4.2))
    assert only.score == pytest.approx(0.85, abs=1e-3)


def test_without_an_event_the_certainty_halves_over_the_whole_window() -> None:
    (only,) = find_intervals(build_track(file_of(10.0, {SpaceName.AUDIO: 0.8}), 0, detected(10.0, 0.0)))
    assert (only.start_seconds, only.end_seconds) == (0.0, 10.0)
    assert only.score == pytest.approx(0.4)


def test_a_still_image_has_one_step() -> None:
    info = MediaInfo(MediaKind.IMAGE, 0.0, None, None)
    file = MediaFile(1, "print", info, (Location(Path("/a.png"), 1, 1),))
    scores = PartScores(file, Part(1, 0.0, math.inf), np.zeros((1, 2)), np.full((1, 1, len(SPACES)), 0.5), {})
    assert len(build_track(scores, 0)) == 1


@given(arrays(np.float64, st.integers(1, 300), elements=st.floats(0, 1)))
def test_intervals_contain_their_peak_end_below_half_of_it_and_do_not_overlap(values: Certainty) -> None:
    found = find_intervals(values)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert not any(a.overlaps(b) for number, a in enumerate(found) for b in found[:number])
    if values.max() > 1e-6:
        assert found[0].score == values.max()
    taken = np.zeros(len(values), dtype=bool)
    for each in found:
        part = slice(round(each.start_seconds * STEPS_PER_SECOND), round(each.end_seconds * STEPS_PER_SECOND))
        assert values[part].max() == each.score
        assert (values[part] >= EDGE_RATIO * each.score).all()
        assert not taken[part].any()
        taken[part] = True


def around_each_peak(values: Certainty) -> list[Interval]:
    """A direct implementation of `find_intervals`."""
    left, found = values.copy(), list[Interval]()
    least = max(MIN_PEAK_RATIO * left.max(initial=0.0), 1e-6)
    while len(found) < MAX_INTERVALS and (peak := float(left.max(initial=0.0))) > least:
        first = stop = int(left.argmax())
        while first and left[first - 1] >= EDGE_RATIO * peak:
            first -= 1
        while stop < len(left) and left[stop] >= EDGE_RATIO * peak:
            stop += 1
        found.append(Interval(first / STEPS_PER_SECOND, stop / STEPS_PER_SECOND, peak))
        left[first:stop] = 0.0
    return found


@given(arrays(np.float64, st.integers(1, 400), elements=st.sampled_from(np.linspace(0, 1, 30))))
def test_intervals_equal_a_direct_implementation(values: Certainty) -> None:
    assert find_intervals(values) == around_each_peak(values)


LEVELS = st.dictionaries(st.sampled_from(list(SPACES)), st.floats(0, 1))


@given(LEVELS, st.dictionaries(st.sampled_from([0.0, 5.0, 12.5]), st.floats(0, 1)))
def test_no_step_exceeds_the_upper_bound(levels: dict[SpaceName, float], frames: dict[float, float]) -> None:
    file = file_of(20.0, levels, frames)
    assert build_track(file, 0).max() <= term_upper_bound(file, 0) + 1e-12
