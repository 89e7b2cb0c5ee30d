"""Max-pooling of segments to windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.search.score.window_pooling import max_pool
from pesearch.timeline import grid, windows

DURATIONS = st.floats(0.1, 200)


@given(DURATIONS)
def test_a_window_pools_itself_and_not_those_that_it_half_overlaps(duration: float) -> None:
    windows_of_part = windows(duration)
    (found,) = max_pool(
        [windows_of_part], windows_of_part, np.zeros(len(windows_of_part), np.int64), np.eye(len(windows_of_part))
    )
    middles = windows_of_part.mean(axis=1)
    for number, (start, end) in enumerate(windows_of_part):
        inside = (middles > start) & (middles < end)
        assert found[number, number] == 1.0
        assert found[number].astype(bool).tolist() == inside.tolist()


@given(st.lists(DURATIONS, min_size=1, max_size=5), st.integers(0, 1000))
def test_pooling_of_many_parts_equals_a_direct_implementation(durations: list[float], seed: int) -> None:
    windows_of_part = [windows(duration) for duration in durations]
    frames = [np.stack([times, times + 0.625], axis=1) for times in (grid(0.0, end) for end in durations)]
    numbers = np.repeat(np.arange(len(frames)), [len(each) for each in frames])
    values = np.random.default_rng(seed).random((len(numbers), 2))
    found = max_pool(windows_of_part, np.concatenate(frames), numbers, values)
    for number, of_part in enumerate(windows_of_part):
        middles, own = frames[number].mean(axis=1), values[numbers == number]
        for cell, (start, end) in enumerate(of_part):
            inside = own[(middles > start) & (middles < end)] if len(of_part) > 1 else own
            assert found[number][cell] == pytest.approx(inside.max(axis=0) if len(inside) else [0.0, 0.0])


def test_a_still_image_is_one_window() -> None:
    still = np.zeros((1, 2))
    stills = max_pool([still, still], np.zeros((2, 2)), np.arange(2), np.array([[0.7], [0.3]]))
    assert [each.tolist() for each in stills] == [[[0.7]], [[0.3]]]
