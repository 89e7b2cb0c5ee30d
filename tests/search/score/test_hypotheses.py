"""Deviations of several spaces under the hypotheses that a text is seen, heard, or both."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pesearch.search.score.hypotheses import HYPOTHESIS_SPACES, Hypothesis, hypothesis_deviations
from pesearch.types import MEDIA_SPACES, SpaceName

ALL = [True] * 4
NAN = float("nan")


def of(values: dict[SpaceName, float], searched: list[bool] = ALL) -> list[float]:
    row = np.array([values.get(space, NAN) for space in MEDIA_SPACES])
    found: list[float] = hypothesis_deviations(row, searched).tolist()
    return found


FRAME, VIDEO, AUDIO, AUDIO_VIDEO = MEDIA_SPACES


def test_deviations_add_up_and_are_divided_by_the_root_of_their_number() -> None:
    seen, heard, both = of({FRAME: 3.0, VIDEO: 4.0, AUDIO: 6.0, AUDIO_VIDEO: 2.0})
    assert seen == pytest.approx((3 + 4 + 2) / math.sqrt(3))
    assert heard == pytest.approx((6 + 2) / math.sqrt(2))
    assert both == pytest.approx(15 / 2)


def test_a_space_without_a_vector_is_left_out() -> None:
    assert of({FRAME: 3.0}) == pytest.approx([3.0, NAN, 3.0], nan_ok=True)
    assert of({AUDIO: 5.0}) == pytest.approx([NAN, 5.0, 5.0], nan_ok=True)
    assert of({}) == pytest.approx([NAN] * 3, nan_ok=True)


def test_a_space_that_is_not_searched_does_not_count() -> None:
    only_heard = [space is AUDIO for space in MEDIA_SPACES]
    assert of({FRAME: 9.0, AUDIO: 5.0, AUDIO_VIDEO: 9.0}, only_heard) == pytest.approx([NAN, 5.0, 5.0], nan_ok=True)


def test_the_hypotheses_of_many_windows_and_texts_equal_a_direct_implementation() -> None:
    values = np.random.default_rng(2).normal(size=(5, 3, 4))
    values[values > 1] = NAN
    found = hypothesis_deviations(values, [True, True, False, True])
    assert found.shape == (5, 3, 3)
    for at in np.ndindex(5, 3):
        for hypothesis, spaces in HYPOTHESIS_SPACES.items():
            chosen = [
                value
                for value, space in zip(values[at], MEDIA_SPACES, strict=True)
                if space in spaces and space is not AUDIO and not math.isnan(value)
            ]
            expected = sum(chosen) / math.sqrt(len(chosen)) if chosen else NAN
            assert found[*at, hypothesis] == pytest.approx(expected, nan_ok=True)


def best(values: dict[SpaceName, float]) -> float:
    return max(value for value in of(values) if not math.isnan(value))


@given(st.dictionaries(st.sampled_from(MEDIA_SPACES), st.floats(0.1, 50), min_size=1), st.sampled_from(MEDIA_SPACES))
def test_a_window_in_more_spaces_that_agree_is_not_less_certain(
    values: dict[SpaceName, float], added: SpaceName
) -> None:
    assume(added not in values)
    assert best({**values, added: max(values.values())}) >= best(values) - 1e-9


@given(st.dictionaries(st.sampled_from(MEDIA_SPACES), st.floats(-5, 50), min_size=1))
def test_what_is_seen_need_not_be_heard(values: dict[SpaceName, float]) -> None:
    """The other spaces do not lower the hypothesis of the spaces that match."""
    alone = {space: value for space, value in values.items() if space in HYPOTHESIS_SPACES[Hypothesis.SEEN]}
    assert of(values)[Hypothesis.SEEN] == pytest.approx(of(alone)[Hypothesis.SEEN], nan_ok=True)
