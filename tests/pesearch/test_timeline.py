"""Windows, chunks and the frame grid of a file."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pesearch.timeline import (
    CHUNK_SECONDS,
    FRAMES_PER_SECOND,
    HOP_SECONDS,
    STEPS_PER_SECOND,
    WINDOW_SECONDS,
    chunks,
    grid,
    step_count,
    windows,
)

DURATIONS = st.floats(0.01, 40_000)


@given(DURATIONS)
def test_windows_cover_exactly_the_file(duration: float) -> None:
    cut = windows(duration)
    assert cut[0, 0] == 0
    assert np.isclose(cut[-1, 1], duration)
    assert np.all(cut[1:, 0] - cut[:-1, 0] <= HOP_SECONDS + 1e-9)
    assert np.all(np.diff(cut[:, 0]) > 0)
    assert np.allclose(cut[:, 1] - cut[:, 0], min(duration, WINDOW_SECONDS), atol=1 / STEPS_PER_SECOND)
    assert np.allclose(cut[:, 0] * STEPS_PER_SECOND, np.rint(cut[:, 0] * STEPS_PER_SECOND))


@given(DURATIONS)
def test_every_window_has_the_same_number_of_codec_steps(duration: float) -> None:
    cut = windows(duration)
    lengths = [step_count(end) - round(start * STEPS_PER_SECOND) for start, end in cut]
    assert set(lengths) == {min(step_count(duration), 250)}


@given(DURATIONS)
def test_chunks_are_consecutive_and_the_last_window_starts_in_the_last(duration: float) -> None:
    cut = chunks(duration)
    assert cut[0, 0] == 0
    assert cut[-1, 1] == duration
    assert np.array_equal(cut[1:, 0], cut[:-1, 1])
    assert (np.diff(cut[:-1]) == CHUNK_SECONDS).all()
    assert cut[-1, 1] - cut[-1, 0] < 1.5 * CHUNK_SECONDS
    assert windows(duration)[-1, 0] >= cut[-1, 0]


def test_chunks_of_known_lengths() -> None:
    assert chunks(0).shape == (0, 2)
    assert chunks(29.9).tolist() == [[0, 29.9]]
    assert chunks(30).tolist() == [[0, 20], [20, 30]]
    assert chunks(61).tolist() == [[0, 20], [20, 40], [40, 61]]


def test_windows_of_known_lengths() -> None:
    assert windows(0).shape == (0, 2)
    assert windows(4).tolist() == [[0, 4]]
    assert windows(10).tolist() == [[0, 10]]
    assert windows(24).tolist() == [[0, 10], [5, 15], [10, 20], [14, 24]]


@given(DURATIONS, st.floats(0.01, 20))
def test_the_grid_does_not_depend_on_where_it_is_cut(start: float, length: float) -> None:
    middle, end = start + length / 2, start + length
    parts = np.concatenate([grid(start, middle), grid(middle, end)])
    assert np.array_equal(parts, grid(start, end))
    assert np.all((parts >= start - 1e-6) & (parts < end))


@given(DURATIONS)
def test_a_full_window_has_sixteen_frames(duration: float) -> None:
    for start, end in windows(duration)[:50]:
        expected = (end - start) * FRAMES_PER_SECOND
        assert abs(len(grid(start, end)) - expected) <= 1
        if start % HOP_SECONDS == 0 and end - start == WINDOW_SECONDS:
            assert len(grid(start, end)) == 16
