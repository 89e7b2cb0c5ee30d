"""The rows of windows, and the pooling of segments to windows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.search.score.window_pooling import Values, WindowRows, maximum, top_quarter_mean
from pesearch.timeline import grid, windows

DURATIONS = st.floats(0.1, 200)


@given(DURATIONS)
def test_a_window_pools_itself_and_not_those_that_it_half_overlaps(duration: float) -> None:
    windows_of_part = windows(duration)
    count = len(windows_of_part)
    rows = WindowRows.of([windows_of_part], windows_of_part, np.zeros(count, np.int64))
    found, middles = maximum(np.eye(count), rows), windows_of_part.mean(axis=1)
    for number, (start, end) in enumerate(windows_of_part):
        inside = (middles > start) & (middles < end)
        assert found[number, number] == 1.0
        assert found[number].astype(bool).tolist() == inside.tolist()


@given(st.lists(DURATIONS, min_size=1, max_size=5), st.integers(0, 1000))
def test_pooling_of_many_parts_equals_a_direct_implementation(durations: list[float], seed: int) -> None:
    windows_of_parts = [windows(duration) for duration in durations]
    frames = [np.stack([times, times + 0.625], axis=1) for times in (grid(0.0, end) for end in durations)]
    numbers = np.repeat(np.arange(len(frames)), [len(each) for each in frames])
    values = np.random.default_rng(seed).random((len(numbers), 2))
    rows = WindowRows.of(windows_of_parts, np.concatenate(frames), numbers)
    best, means = iter(maximum(values, rows)), iter(top_quarter_mean(values, rows))
    for number, of_part in enumerate(windows_of_parts):
        middles, own = frames[number].mean(axis=1), values[numbers == number]
        for start, end in of_part:
            inside = own[(middles > start) & (middles < end)] if len(of_part) > 1 else own
            assert next(best) == pytest.approx(inside.max(axis=0) if len(inside) else [0.0, 0.0])
            assert next(means) == pytest.approx([quarter(column.tolist()) for column in inside.T], nan_ok=True)
    assert next(best, None) is None


def quarter(values: list[float]) -> float:
    """The mean of the greatest quarter of some values, rounded up to whole values."""
    kept = sorted(values, reverse=True)[: math.ceil(len(values) / 4)]
    return sum(kept) / len(kept) if kept else math.nan


@given(
    st.lists(st.integers(0, 17), min_size=1, max_size=6).flatmap(
        lambda counts: st.tuples(
            st.just(counts), arrays(np.float64, (sum(counts), 2), elements=st.floats(-100, 100, width=32))
        )
    )
)
def test_the_mean_of_the_greatest_quarter_equals_a_plain_loop(drawn: tuple[list[int], Values]) -> None:
    counts, values = drawn
    stop = np.cumsum(counts)
    means = top_quarter_mean(values, WindowRows(stop - counts, stop))
    assert means.dtype == np.float64
    for number, count in enumerate(counts):
        for column in range(2):
            own = values[stop[number] - count : stop[number], column].tolist()
            assert means[number, column] == pytest.approx(quarter(own), abs=1e-9, nan_ok=True)


def test_one_two_and_four_of_sixteen_frames() -> None:
    frames = np.array([[float(value)] for value in (*range(1, 17), 7, 9, 8, 1, 2, 5)])
    rows = WindowRows(np.array([0, 16, 18]), np.array([16, 18, 22]))
    assert top_quarter_mean(frames, rows).ravel().tolist() == [(16 + 15 + 14 + 13) / 4, 9.0, 8.0]


def test_windows_without_rows_are_missing_in_means_and_0_in_maxima() -> None:
    rows = WindowRows(np.array([0, 1, 1]), np.array([1, 1, 2]))
    values = np.array([[0.7], [-0.3]])
    assert rows.counts.tolist() == [1, 0, 1]
    assert top_quarter_mean(values, rows) == pytest.approx(np.array([[0.7], [np.nan], [-0.3]]), nan_ok=True)
    assert maximum(values, rows).ravel().tolist() == [0.7, 0.0, -0.3]
    kept = rows.with_rows()
    assert (kept.first.tolist(), kept.stop.tolist()) == ([0, 1], [1, 2])
    assert np.isnan(top_quarter_mean(np.zeros((0, 2)), WindowRows(np.zeros(3, np.int64), np.zeros(3, np.int64)))).all()


def test_a_still_image_is_one_window() -> None:
    still, values = np.zeros((1, 2)), np.array([[0.7], [0.3]])
    rows = WindowRows.of([still, still], np.zeros((2, 2)), np.arange(2))
    assert maximum(values, rows).tolist() == top_quarter_mean(values, rows).tolist() == [[0.7], [0.3]]
