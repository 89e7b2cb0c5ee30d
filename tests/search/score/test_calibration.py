"""How the spaces of a term become one certainty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.score.calibration import Calibration, Certainty, fuse
from pesearch.types import SpaceName

CERTAINTIES = arrays(np.float64, (3, 4), elements=st.floats(0, 1))


@given(CERTAINTIES)
def test_a_fused_score_lies_in_0_to_1(certainties: Certainty) -> None:
    fused = fuse(certainties)
    assert ((fused >= 0) & (fused <= 1)).all()


@given(CERTAINTIES, st.integers(0, 2), st.integers(0, 3))
def test_more_certainty_never_lowers_the_score(certainties: Certainty, row: int, space: int) -> None:
    more = certainties.copy()
    more[row, space] = 1.0
    assert (fuse(more) >= fuse(certainties) - 1e-12).all()


def test_a_term_is_as_certain_as_its_most_certain_space() -> None:
    assert fuse(np.array([0.0, 0.8, 0.0, 0.0])) == pytest.approx(0.8)


def test_between_equals_a_second_space_that_agrees_decides() -> None:
    alone, agreeing = fuse(np.array([[0.1, 0.9, 0.0, 0.0], [0.6, 0.9, 0.0, 0.0]]))
    assert 0.9 < alone < agreeing < 0.96


def test_likeness_is_the_cosine_and_never_negative() -> None:
    query = QueryVector(0, SpaceName.AUDIO, np.array([2.0, 0.0], dtype=np.float32), Measure.SIMILARITY)
    vectors = np.array([[5.0, 0.0], [1.0, 1.0], [-1.0, 0.0], [0.0, 0.0]], dtype=np.float32)
    numbers, scores, certainties = Calibration([query], {}).certainties(SpaceName.AUDIO, vectors)
    assert numbers == [0]
    assert scores.ravel().tolist() == [10.0, 2.0, -2.0, 0.0]
    assert certainties.ravel() == pytest.approx([1.0, 0.5**0.5, 0.0, 0.0])
