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
    MAX_INTERVALS,
    MIN_PEAK_RATIO,
    SoundDetections,
    build_track,
    find_intervals,
    term_upper_bound,
)
from pesearch.search.score.hypotheses import Hypothesis
from pesearch.search.score.interval import Interval
from pesearch.search.score.match_threshold import Certainty
from pesearch.search.score.part_scores import PartScores, SpaceScores
from pesearch.search.score.window_pooling import file_windows
from pesearch.timeline import STEPS_PER_SECOND, grid
from pesearch.types import AudioStream, Event, MediaFile, MediaInfo, MediaKind, Part, SpaceName

Levels = dict[Hypothesis, float]

SEEN, HEARD, BOTH = Hypothesis


def file_of(seconds: float, levels: Levels, frames: dict[float, float] | None = None) -> PartScores:
    """A file whose windows all have the certainties `levels`, and whose frames have those of `frames` by their time."""
    info = MediaInfo(MediaKind.VIDEO, seconds, None, AudioStream("aac", 48_000, 1))
    file = MediaFile(1, "print", info, (Location(Path("/a.mp4"), 1, 1),))
    windows = file_windows(file)
    certainties = np.zeros((len(windows), 1, len(Hypothesis)))
    for hypothesis, level in levels.items():
        certainties[:, 0, hypothesis] = level
    spaces = {}
    if frames is not None:
        times = grid(0.0, seconds)
        frame_certainties = np.array([[frames.get(float(time), 0.0)] for time in times])
        zeros = np.zeros(len(times))
        segments = np.stack([times, times + 0.625], axis=1)
        spaces[SpaceName.FRAME] = SpaceScores(
            segments,
            zeros.astype(np.float32),
            zeros.astype(np.int64),
            np.full((len(times), 1), np.nan),
            frame_certainties,
        )
    return PartScores(file, Part(1, 0.0, math.inf), windows, certainties, spaces)


@pytest.mark.parametrize("hypothesis", Hypothesis)
def test_without_frames_or_detections_a_window_counts_as_a_whole(hypothesis: Hypothesis) -> None:
    values = build_track(file_of(10.0, {hypothesis: 0.8}), 0)
    assert len(values) == 10 * STEPS_PER_SECOND
    assert values == pytest.approx(0.8)


@pytest.mark.parametrize("hypothesis", [SEEN, BOTH])
def test_frames_locate_what_a_window_shows(hypothesis: Hypothesis) -> None:
    values = build_track(file_of(10.0, {hypothesis: 0.9}, {5.0: 0.6, 5.625: 0.6}), 0)
    (only,) = find_intervals(values)
    assert (only.start_seconds, only.end_seconds) == pytest.approx((5.0, 6.25), abs=0.04)
    assert only.score == pytest.approx(0.9)


def test_frames_scale_the_certainty_of_their_window() -> None:
    """The frame of 0.4 is two thirds as certain as that of 0.6: two thirds of 0.9."""
    values = build_track(file_of(10.0, {SEEN: 0.9}, {5.0: 0.6, 5.625: 0.4}), 0)
    assert values[126:140] == pytest.approx(0.9)
    assert values[142:156] == pytest.approx(0.6)
    assert (values[:125].max(), values[157:].max()) == (0.0, 0.0)


def test_frames_do_not_locate_what_is_heard() -> None:
    assert build_track(file_of(10.0, {HEARD: 0.9}, {5.0: 0.6}), 0) == pytest.approx(0.9)


def test_uncertain_frames_locate_nothing() -> None:
    (only,) = find_intervals(build_track(file_of(10.0, {SEEN: 0.9}, {5.0: 0.29}), 0))
    assert (only.start_seconds, only.end_seconds) == (0.0, 10.0)


def detected(seconds: float, level: float, *events: Event) -> SoundDetections:
    detections = SoundDetections.empty(seconds)
    detections.add(slice(0, round(seconds * STEPS_PER_SECOND)), level, list(events))
    return detections


SIREN = Event("siren", 2.0, 4.2, 0.9)


def weighted(certainty: float, presence: float) -> float:
    """The probability whose odds are a product of powers: two thirds of the certainty's, a third of the presence's."""
    odds = (certainty / (1 - certainty)) ** (2 / 3) * (presence / (1 - presence)) ** (1 / 3)
    return odds / (1 + odds)


@pytest.mark.parametrize("hypothesis", [HEARD, BOTH])
@pytest.mark.parametrize("presence", [0.2, 0.5, 0.85])
def test_an_event_locates_a_sound_and_its_presence_counts_as_a_third(hypothesis: Hypothesis, presence: float) -> None:
    file = file_of(10.0, {hypothesis: 0.8})
    (only,) = find_intervals(build_track(file, 0, detected(10.0, presence, SIREN)))
    assert (only.start_seconds, only.end_seconds) == pytest.approx((2.0, 4.2))
    assert only.score == pytest.approx(weighted(0.8, presence), abs=1e-6)


@pytest.mark.parametrize(("presence", "counted"), [(1.0, 0.9), (0.95, 0.9), (0.0, 0.1), (0.05, 0.1)])
def test_a_presence_is_at_most_right_in_nine_of_ten_windows(presence: float, counted: float) -> None:
    values = build_track(file_of(10.0, {HEARD: 0.8}), 0, detected(10.0, presence))
    assert values == pytest.approx(weighted(0.8, counted), abs=1e-6)


def test_a_presence_says_nothing_about_what_is_seen_or_about_other_parts_of_the_file() -> None:
    assert build_track(file_of(10.0, {SEEN: 0.8}), 0, detected(10.0, 0.0)) == pytest.approx(0.8)
    values = build_track(file_of(30.0, {HEARD: 0.8}), 0, detected_to(10.0, 30.0))
    assert values[:125] == pytest.approx(weighted(0.8, 0.1), abs=1e-6)  # the next window, from 5 s on, is covered too
    assert values[250:] == pytest.approx(0.8)


def detected_to(seconds: float, duration: float) -> SoundDetections:
    """Detections of a sound that is absent from the beginning of a file."""
    detections = SoundDetections.empty(duration)
    detections.add(slice(0, round(seconds * STEPS_PER_SECOND)), 0.0, [])
    return detections


def test_certain_and_impossible_scores_stay_in_0_to_1() -> None:
    values = [build_track(file_of(10.0, {HEARD: level}), 0, detected(10.0, 0.5)).max() for level in (1.0, 1e-300)]
    assert 0.999 < values[0] <= 1.0
    assert 0.0 <= values[1] < 0.001


def test_an_event_locates_what_joint_vectors_take_for_something_seen() -> None:
    file = file_of(10.0, {SEEN: 0.7, HEARD: 0.8}, {5.0: 0.1})
    (only,) = find_intervals(build_track(file, 0, detected(10.0, 0.8, SIREN)))
    assert (only.start_seconds, only.end_seconds) == pytest.approx((2.0, 4.2))
    shown = file_of(10.0, {SEEN: 0.7, HEARD: 0.8}, {5.0: 0.6})
    later = [each.start_seconds for each in find_intervals(build_track(shown, 0, detected(10.0, 0.8, SIREN)))]
    assert later == pytest.approx([2.0, 5.0])


def test_an_event_does_not_locate_what_is_rather_seen_than_heard() -> None:
    (only,) = find_intervals(build_track(file_of(10.0, {SEEN: 0.95, HEARD: 0.5}), 0, detected(10.0, 0.5, SIREN)))
    assert (only.start_seconds, only.end_seconds, only.score) == (0.0, 10.0, pytest.approx(0.95))


def test_the_times_of_picture_and_sound_count_for_both() -> None:
    file = file_of(10.0, {BOTH: 0.8}, {7.5: 0.9})
    values = build_track(file, 0, detected(10.0, 0.9, SIREN))
    assert values[50:105] == pytest.approx(weighted(0.8, 0.9), abs=1e-6)
    assert values[188:203] == pytest.approx(weighted(0.8, 0.9), abs=1e-6)
    assert values[106:187].max() == 0.0


def test_windows_below_a_tenth_of_the_best_are_skipped() -> None:
    file = file_of(15.0, {HEARD: 0.9})
    file.certainties[1] = 0.089
    assert build_track(file, 0)[250:] == pytest.approx(0.0)
    file.certainties[1] = 0.091
    assert build_track(file, 0)[250:] == pytest.approx(0.091)


def test_a_still_image_has_one_step() -> None:
    info = MediaInfo(MediaKind.IMAGE, 0.0, None, None)
    file = MediaFile(1, "print", info, (Location(Path("/a.png"), 1, 1),))
    scores = PartScores(file, Part(1, 0.0, math.inf), np.zeros((1, 2)), np.full((1, 1, len(Hypothesis)), 0.5), {})
    assert build_track(scores, 0).tolist() == [0.5]


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


LEVELS = st.dictionaries(st.sampled_from(list(Hypothesis)), st.floats(0, 1))


@given(LEVELS, st.dictionaries(st.sampled_from([0.0, 5.0, 12.5]), st.floats(0, 1)))
def test_no_step_exceeds_the_upper_bound(levels: Levels, frames: dict[float, float]) -> None:
    file = file_of(20.0, levels, frames)
    assert build_track(file, 0).max() <= term_upper_bound(file, 0) == max(levels.values(), default=0.0)
