"""Fusion of the spaces of a term, and the calibration of each measure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.score.calibration import Calibration, Certainty, fuse, fuse_best_two
from pesearch.search.score.normalization import ChanceStats, ScoreNormalizer
from pesearch.types import SpaceName

CERTAINTIES = arrays(np.float64, (3, 4), elements=st.floats(0, 1))


@given(CERTAINTIES)
def test_a_fused_certainty_is_in_0_to_1(certainties: Certainty) -> None:
    fused = fuse(certainties)
    assert ((fused >= 0) & (fused <= 1)).all()


@given(CERTAINTIES, st.integers(0, 2), st.integers(0, 3))
def test_fusion_is_monotonic(certainties: Certainty, row: int, space: int) -> None:
    more = certainties.copy()
    more[row, space] = 1.0
    assert (fuse(more) >= fuse(certainties) - 1e-12).all()


def test_a_single_space_keeps_its_certainty() -> None:
    assert fuse(np.array([0.0, 0.8, 0.0, 0.0])) == pytest.approx(0.8)


def test_a_second_space_removes_a_tenth_of_the_uncertainty_that_it_agrees_on() -> None:
    alone, agreeing, third = fuse(np.array([[0.1, 0.9, 0.0, 0.0], [0.6, 0.9, 0.0, 0.0], [0.6, 0.9, 0.5, 0.6]]))
    assert alone == pytest.approx(0.9 + 0.1 * 0.1 * 0.1, abs=1e-12)
    assert agreeing == third == pytest.approx(0.9 + 0.1 * 0.1 * 0.6, abs=1e-12)
    assert fuse_best_two(0.5, 0.5) == pytest.approx(0.525, abs=1e-12)


def test_similarity_is_the_cosine_and_never_negative() -> None:
    query = QueryVector(0, SpaceName.AUDIO, np.array([2.0, 0.0], dtype=np.float32), Measure.SIMILARITY)
    vectors = np.array([[5.0, 0.0], [1.0, 1.0], [-1.0, 0.0], [0.0, 0.0]], dtype=np.float32)
    numbers, scores, certainties = Calibration([query], {}).certainties(SpaceName.AUDIO, vectors)
    assert numbers == [0]
    assert scores.ravel().tolist() == [10.0, 2.0, -2.0, 0.0]
    assert certainties.ravel() == pytest.approx([1.0, 0.5**0.5, 0.0, 0.0])


def test_a_sound_counts_nine_tenths_in_the_video_space_and_a_text_in_full() -> None:
    sample = np.array([[-1.0], [-1.0], [0.0], [0.0], [0.0]], dtype=np.float32)
    stats = ChanceStats(np.array(-5.0), np.array(0.0))
    normalizer = ScoreNormalizer(SpaceName.VIDEO, sample, 1000, np.zeros((1, 1), np.float32), stats)
    vectors = np.array([[8.0]], dtype=np.float32)

    def certainty(measure: Measure) -> float:
        query = QueryVector(0, SpaceName.VIDEO, np.array([1.0], dtype=np.float32), measure)
        calibration = Calibration([query], {SpaceName.VIDEO: normalizer})
        return float(calibration.certainties(SpaceName.VIDEO, vectors)[2][0, 0])

    expected = float(
        normalizer.probability(np.array([8.0]), normalizer.chance_stats(np.ones((1, 1), np.float32), False))[0]
    )
    assert 0.5 < expected < 1.0
    assert certainty(Measure.TEXT) == pytest.approx(expected, abs=1e-9)
    assert certainty(Measure.JOINT) == pytest.approx(expected, abs=1e-9)
    assert certainty(Measure.SOUND_TO_VIDEO) == pytest.approx(0.9 * expected, abs=1e-9)
