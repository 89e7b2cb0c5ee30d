"""Near-equal windows: what is near scales with the library."""

from __future__ import annotations

import numpy as np
import pytest

from pesearch.search.score.near_equality import (
    MAX_DISTANCE_RATIO,
    MIN_TYPICAL_DISTANCE,
    MeanVectors,
    are_near,
    group,
)
from pesearch.types import FloatArray

DIM = 64


def means(vectors: FloatArray, is_there: list[bool] | None = None) -> MeanVectors:
    return MeanVectors.of(vectors, np.array([True] * len(vectors) if is_there is None else is_there, bool))


@pytest.mark.parametrize("length", [0.0, 3.0, 8.0])
def test_what_is_near_is_the_same_in_a_narrow_cone(length: float) -> None:
    """The second half are copies of the first; 8 times as long, the constant vector gives all a cosine of 0.98."""
    random = np.random.default_rng(0)
    vectors, constant = random.standard_normal((20, DIM)), random.standard_normal(DIM)
    vectors = np.concatenate([vectors, vectors + 0.1 * random.standard_normal((20, DIM))])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pushed = means((vectors + length * constant / np.linalg.norm(constant)).astype(np.float32))
    near = are_near(pushed, pushed.typical_distance())
    assert np.array_equal(near, np.eye(40, dtype=bool) | np.eye(40, k=20, dtype=bool) | np.eye(40, k=-20, dtype=bool))
    if length == 8.0:
        assert pushed.distances().max() < 0.03


@pytest.mark.parametrize(("share", "expected"), [(0.9, True), (1.1, False)])
def test_the_limit_is_a_share_of_the_typical_distance(share: float, expected: bool) -> None:
    cosine = 1 - share * MAX_DISTANCE_RATIO * 0.5
    pair = means(np.array([[2.0, 0.0], [cosine, np.sqrt(1 - cosine**2)]], dtype=np.float32))
    assert are_near(pair, 0.5)[0, 1] == expected


def test_the_typical_distance_is_the_median_of_all_pairs() -> None:
    """Most pairs of 4 things with 3 copies each are of different things."""
    things = np.repeat(np.eye(4, dtype=np.float32), 3, axis=0)
    assert means(things).typical_distance() == pytest.approx(1.0)
    assert means(things, [False, False, True, True] + [False] * 8).typical_distance() == pytest.approx(1.0)
    assert means(things, [True] * 3 + [False] * 9).typical_distance() == MIN_TYPICAL_DISTANCE
    assert means(things[:1]).typical_distance() == means(things[:0]).typical_distance() == MIN_TYPICAL_DISTANCE


def test_what_has_no_vectors_is_near_what_has_none() -> None:
    near = are_near(means(np.ones((4, 2), np.float32), [True, False, True, False]), 1.0)
    assert near.astype(int).tolist() == [[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1]]


def test_what_is_near_no_first_member_is_in_a_group_of_its_own() -> None:
    near = np.eye(5, dtype=bool)
    near[0, 1] = near[1, 0] = near[1, 2] = near[2, 1] = near[2, 3] = near[3, 2] = near[0, 4] = near[4, 0] = True
    assert group(near) == [[0, 1, 4], [2, 3]]
    assert group(np.empty((0, 0), bool)) == []


def test_what_is_kept_apart_is_in_the_next_group_that_is_near() -> None:
    near, keep_apart = np.ones((5, 5), bool), np.zeros((5, 5), bool)
    keep_apart[1, 2] = keep_apart[2, 1] = keep_apart[0, 3] = keep_apart[3, 0] = True
    assert group(near, keep_apart) == [[0, 1, 4], [2, 3]]
