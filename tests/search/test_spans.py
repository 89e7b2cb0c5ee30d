"""Laws of the spans that are cut from probabilities."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.search.spans import CLOSED_GAP_STEPS, LEAST_STEPS, THRESHOLD, presence, runs, smooth, spans
from pesearch.types import FloatArray

PROBABILITIES = arrays(np.float32, st.integers(0, 120), elements=st.floats(0, 1, width=32))


def curve(*parts: tuple[int, float]) -> FloatArray:
    return np.concatenate([np.full(steps, value, dtype=np.float32) for steps, value in parts])


@given(PROBABILITIES)
def test_spans_are_in_order_apart_and_long_enough(probabilities: FloatArray) -> None:
    found = spans(probabilities)
    assert all(stop - start >= LEAST_STEPS for start, stop in found)
    assert all(start >= 0 and stop <= len(probabilities) for start, stop in found)
    assert all(after[0] - before[1] > CLOSED_GAP_STEPS for before, after in pairwise(found))


@given(PROBABILITIES, st.floats(0.05, 0.9), st.floats(0.0, 0.09))
def test_a_lower_threshold_covers_at_least_as_much(probabilities: FloatArray, threshold: float, less: float) -> None:
    def covered(level: float) -> set[int]:
        return {step for start, stop in spans(probabilities, level) for step in range(start, stop)}

    assert covered(threshold) <= covered(threshold - less)


@given(arrays(np.bool_, st.integers(0, 60)))
def test_runs_cover_exactly_what_is_true(active: np.ndarray) -> None:
    covered = np.zeros(len(active), dtype=bool)
    for start, stop in runs(active):
        assert start < stop
        assert not covered[start:stop].any()
        covered[start:stop] = True
    assert np.array_equal(covered, active)


def test_a_clear_sound_keeps_its_onset_and_offset() -> None:
    assert spans(curve((30, 0.05), (50, 0.9), (20, 0.05))) == [(30, 80)]


def test_a_sound_to_the_very_ends_reaches_them() -> None:
    assert spans(curve((40, 0.8))) == [(0, 40)]


def test_flicker_is_smoothed_away_and_a_short_dropout_closed() -> None:
    assert spans(curve((30, 0.0), (2, 1.0), (30, 0.0))) == []
    assert spans(curve((10, 0.0), (20, 0.9), (3, 0.0), (20, 0.9), (10, 0.0))) == [(10, 53)]


def test_two_sounds_with_a_pause_stay_two() -> None:
    assert spans(curve((10, 0.0), (20, 0.9), (15, 0.0), (20, 0.9), (10, 0.0))) == [(10, 30), (45, 65)]


def test_the_threshold_itself_is_not_above_it() -> None:
    assert spans(np.full(50, THRESHOLD), THRESHOLD) == []


def test_smoothing_is_the_median_of_seven() -> None:
    values = np.array([0, 0, 0, 1, 0, 1, 1, 1, 1, 0, 0], dtype=np.float32)
    expected = [np.median(np.pad(values, 3, mode="edge")[step : step + 7]) for step in range(len(values))]
    assert smooth(values).tolist() == expected


def test_presence_is_the_mean_of_the_strongest_half_second() -> None:
    assert presence(curve((100, 0.0), (12, 0.9))) == np.float32(0.9).astype(float)
    assert presence(curve((100, 0.0), (6, 1.0))) == 0.5
    assert presence(curve((4, 0.5))) == 0.5
    assert presence(np.zeros((2, 0), dtype=np.float32)).tolist() == [0.0, 0.0]
