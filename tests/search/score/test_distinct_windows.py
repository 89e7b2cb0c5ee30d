"""Windows that are copies of others."""

from __future__ import annotations

import numpy as np
import pytest

from pesearch.search.score.distinct_windows import COPY_COSINE, distinct_windows
from pesearch.search.score.window_pooling import Indexes, WindowRows
from pesearch.types import FloatArray

DIM = 64


def space(*windows: FloatArray) -> tuple[FloatArray, WindowRows]:
    """A space in which each window has the vectors [rows, dim]."""
    stops = np.cumsum([len(window) for window in windows])
    return np.concatenate(windows), WindowRows(stops - [len(window) for window in windows], stops)


def vectors(seed: int, rows: int = 1) -> FloatArray:
    return np.random.default_rng(seed).standard_normal((rows, DIM)).astype(np.float32)


def turned(window: FloatArray, cosine: float) -> FloatArray:
    """A window of one vector, turned to have this cosine with what it was; twice as long."""
    unit, other = window / np.linalg.norm(window), vectors(99)
    other -= (other @ unit.T) * unit
    turned: FloatArray = 2 * (cosine * unit + np.sqrt(1 - cosine**2) * other / np.linalg.norm(other))
    return turned.astype(np.float32)


def distinct(*spaces: tuple[FloatArray, WindowRows]) -> list[int]:
    found: Indexes = distinct_windows(spaces)
    return found.tolist()


@pytest.mark.parametrize(("cosine", "expected"), [(COPY_COSINE + 0.005, [0, 1]), (COPY_COSINE - 0.005, [0, 1, 2])])
def test_a_copy_has_a_vector_of_the_same_direction(cosine: float, expected: list[int]) -> None:
    assert distinct(space(vectors(1), vectors(2), turned(vectors(1), cosine))) == expected


def test_the_mean_of_all_vectors_of_a_window_counts() -> None:
    frames = vectors(1, 8)
    assert distinct(space(frames, frames[::-1], frames[:4])) == [0, 2]


def test_a_film_with_another_sound_is_no_copy() -> None:
    pictures, sounds = space(*[vectors(1)] * 3), space(vectors(2), vectors(3), vectors(2))
    assert distinct(pictures, sounds) == distinct(sounds, pictures) == [0, 1]


def test_a_window_without_sound_is_no_copy_of_one_with_sound() -> None:
    nothing = vectors(0, 0)
    pictures, sounds = [vectors(1)] * 4, [vectors(2), nothing, nothing, vectors(2)]
    assert distinct(space(*pictures), space(*sounds)) == [0, 1]


def test_no_windows() -> None:
    nothing = WindowRows(np.empty(0, np.int64), np.empty(0, np.int64))
    assert distinct() == distinct((vectors(0, 0), nothing)) == []
