"""How certainties become one score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.encoders.model_set import ModelSet
from pesearch.search.calibrate import STANDS_OUT, Certainty, Measure, Probe, certainty, fuse, stands_out
from pesearch.types import FloatArray, SpaceName

CERTAINTIES = arrays(np.float64, (3, 4), elements=st.floats(0, 1))


@given(CERTAINTIES, st.integers(1, 3))
def test_a_fused_score_lies_in_0_to_1(certainties: Certainty, wholes: int) -> None:
    assert 0 <= fuse(certainties, wholes) <= 1


@given(CERTAINTIES, st.integers(1, 3), st.integers(0, 2), st.integers(0, 3))
def test_more_certainty_never_lowers_the_score(certainties: Certainty, wholes: int, part: int, space: int) -> None:
    more = certainties.copy()
    more[part, space] = 1.0
    assert fuse(more, wholes) >= fuse(certainties, wholes) - 1e-12


@given(arrays(np.float64, (4, 3, 4), elements=st.floats(0, 1)), st.integers(1, 3))
def test_many_windows_at_once_score_as_each_alone(certainties: Certainty, wholes: int) -> None:
    assert fuse(certainties, wholes) == pytest.approx([fuse(one, wholes) for one in certainties])


def test_one_part_is_as_certain_as_its_most_certain_space() -> None:
    assert fuse(np.array([[0.0, 0.8, 0.0, 0.0]]), 1) == pytest.approx(0.8)


def test_between_equals_a_second_space_that_agrees_decides() -> None:
    alone, agreeing = fuse(np.array([[[0.1, 0.9, 0.0, 0.0]], [[0.6, 0.9, 0.0, 0.0]]]), 1)
    assert 0.9 < alone < agreeing < 0.95


def test_what_holds_both_terms_beats_what_holds_one_surely() -> None:
    both = np.array([[0.6, 0.6], [0.7, 0.0], [0.0, 0.6]])
    one = np.array([[0.6, 0.6], [1.0, 0.0], [0.0, 0.1]])
    assert fuse(both, 1) > fuse(one, 1)


def test_a_text_and_an_example_must_both_fit() -> None:
    assert fuse(np.array([[0.9, 0.0], [0.4, 0.0]]), 2) == pytest.approx((0.9 * 0.4) ** 0.5)


def test_a_text_stands_out_against_the_spread_of_everyday_words() -> None:
    others = np.array([[0.1, 0.2, 0.3], [0.0, 0.2, 0.4]], dtype=np.float32)
    middle = (0.2 + STANDS_OUT * others.std(axis=1)).astype(np.float32)
    assert stands_out(middle, others) == pytest.approx([0.5, 0.5], abs=1e-4)
    narrow, wide = stands_out(np.array([0.55, 0.55], dtype=np.float32), others)
    assert narrow > 0.5 > wide


@given(arrays(np.float32, (2, 5), elements=st.floats(-1, 1, width=32)), st.floats(-0.5, 0.5))
def test_what_any_text_scores_on_a_frame_does_not_matter(scores: FloatArray, shift: float) -> None:
    assume(scores[:, 1:].std(axis=1).min() > 0.01)
    moved = scores + np.float32(shift)
    assert stands_out(moved[:, 0], moved[:, 1:]) == pytest.approx(stands_out(scores[:, 0], scores[:, 1:]), abs=1e-2)


def test_a_text_to_frames_is_compared_with_everyday_words(starter: ModelSet) -> None:
    text, everyday = np.array([1.0, 0.0], dtype=np.float32), np.array([[0.0, 1.0], [0.0, 0.9]], dtype=np.float32)
    vectors = np.array([[0.9, 0.1], [0.5, 0.5]], dtype=np.float32)
    scores, certainties = certainty(starter, Probe(0, SpaceName.FRAME, text, Measure.TEXT), vectors, everyday)
    assert scores.tolist() == vectors[:, 0].tolist()
    assert certainties[0] > 0.9
    assert certainties[1] < 0.1


def test_likeness_is_the_cosine_and_never_negative(starter: ModelSet) -> None:
    probe = Probe(0, SpaceName.AUDIO, np.array([2.0, 0.0], dtype=np.float32), Measure.LIKENESS)
    vectors = np.array([[5.0, 0.0], [1.0, 1.0], [-1.0, 0.0], [0.0, 0.0]], dtype=np.float32)
    scores, certainties = certainty(starter, probe, vectors, None)
    assert scores.tolist() == [10.0, 2.0, -2.0, 0.0]
    assert certainties == pytest.approx([1.0, 0.5**0.5, 0.0, 0.0])


@pytest.mark.slow
def test_a_text_is_as_certain_as_the_model_says(starter: ModelSet) -> None:
    vector = starter.embed_texts(["siren"], {SpaceName.AUDIO}).audio
    assert vector is not None
    vectors = np.stack([vector[0], -vector[0]])
    scores, certainties = certainty(starter, Probe(0, SpaceName.AUDIO, vector[0], Measure.TEXT), vectors, None)
    assert certainties == pytest.approx(starter.probabilities(SpaceName.AUDIO, scores))
    assert certainties[0] > 0.5 > certainties[1]
