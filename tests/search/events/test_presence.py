"""Whether a sound occurs at all: unaffected by clean probabilities, robust to noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.search.events.presence import presence
from pesearch.types import FloatArray

THRESHOLD = 0.3


def curve(*parts: tuple[int, float]) -> FloatArray:
    return np.concatenate([np.full(steps, value, dtype=np.float32) for steps, value in parts])


def noisy_minute(deviation: float, *sounds: tuple[int, int]) -> FloatArray:
    """A minute at a logit of -8, with sounds [start, stop) at 6, and Gaussian noise."""
    logits = np.random.default_rng(3).normal(-8.0, deviation, 1500)
    for start, stop in sounds:
        logits[start:stop] += 14.0
    return (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)


def test_presence_is_the_mean_of_the_highest_half_second() -> None:
    assert presence(curve((100, 0.0), (12, 0.9)), THRESHOLD) == np.float32(0.9).astype(float)
    assert presence(curve((100, 0.0), (6, 1.0)), THRESHOLD) == 0.5
    assert presence(curve((4, 0.5)), THRESHOLD) == 0.5
    assert presence(np.zeros(0, dtype=np.float32), THRESHOLD) == 0.0


def test_noise_makes_no_absent_sound_present() -> None:
    absent = noisy_minute(6.0)
    assert np.sort(absent)[-12:].mean() > 0.99
    assert presence(absent, THRESHOLD) < 0.3


def test_a_sound_of_two_seconds_is_present_despite_noise() -> None:
    assert presence(noisy_minute(6.0, (700, 750)), THRESHOLD) > 0.9


@pytest.mark.parametrize("deviation", [0.0, 0.5])
def test_a_clean_minute_is_not_smoothed(deviation: float) -> None:
    minute = noisy_minute(deviation, (700, 720))
    assert presence(minute, THRESHOLD) == pytest.approx(np.sort(minute)[-12:].mean(dtype=np.float64))


@given(arrays(np.float32, st.integers(1, 120), elements=st.floats(0, 1, width=32)), st.floats(0.01, 0.99))
def test_presence_is_at_most_the_highest_probability(probabilities: FloatArray, threshold: float) -> None:
    assert -1e-6 <= presence(probabilities, threshold) <= probabilities.max() + 1e-6
