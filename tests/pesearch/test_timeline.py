"""Windows cover a file whole, and the grid gives each window its sixteen frames."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pesearch.timeline import FRAMES_PER_SECOND, HOP_SECONDS, WINDOW_SECONDS, grid, windows

DURATIONS = st.floats(0.01, 40_000)


@given(DURATIONS)
def test_windows_cover_the_file_and_nothing_else(duration: float) -> None:
    cut = windows(duration)
    assert cut[0, 0] == 0
    assert np.isclose(cut[-1, 1], duration)
    assert np.all(cut[1:, 0] - cut[:-1, 0] <= HOP_SECONDS + 1e-9)
    assert np.all(np.diff(cut[:, 0]) > 0)
    assert np.allclose(cut[:, 1] - cut[:, 0], min(duration, WINDOW_SECONDS))


def test_windows_of_known_lengths() -> None:
    assert windows(0).shape == (0, 2)
    assert windows(4).tolist() == [[0, 4]]
    assert windows(10).tolist() == [[0, 10]]
    assert windows(24).tolist() == [[0, 10], [5, 15], [10, 20], [14, 24]]


@given(DURATIONS, st.floats(0.01, 20))
def test_the_grid_is_the_same_wherever_it_is_cut(start: float, length: float) -> None:
    middle, end = start + length / 2, start + length
    parts = np.concatenate([grid(start, middle), grid(middle, end)])
    assert np.array_equal(parts, grid(start, end))
    assert np.all((parts >= start - 1e-6) & (parts < end))


@given(DURATIONS)
def test_a_whole_window_has_sixteen_frames(duration: float) -> None:
    for start, end in windows(duration)[:50]:
        expected = (end - start) * FRAMES_PER_SECOND
        assert abs(len(grid(start, end)) - expected) <= 1
        if start % HOP_SECONDS == 0 and end - start == WINDOW_SECONDS:
            assert len(grid(start, end)) == 16
