"""Level and noise of logits, against noise of known deviation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.search.events.noise import MAX_CORRELATION, MAX_LOGIT, MIN_LOGIT, Noise, estimate_noise, logit, to_logits

RNG = np.random.default_rng(5)
WHITE = RNG.normal(-6.0, 3.0, 1500)


def test_white_noise() -> None:
    noise = estimate_noise(WHITE)
    assert noise.level == pytest.approx(-6.0, abs=0.3)
    assert noise.step_sd == pytest.approx(3.0, rel=0.1)
    assert noise.long_run_sd == pytest.approx(3.0, rel=0.15)


def test_correlated_noise_has_a_higher_deviation_in_the_long_run() -> None:
    """The mean of n steps of a moving sum over four has 16 times the variance of a white one."""
    correlated = np.convolve(RNG.normal(0.0, 1.0, 1503), np.ones(4), "valid")
    noise = estimate_noise(correlated)
    assert noise.step_sd == pytest.approx(1.0, rel=0.15)
    assert noise.long_run_sd == pytest.approx(4.0, rel=0.15)


def test_sounds_in_half_of_a_clip_are_hardly_taken_for_noise() -> None:
    clip = WHITE[:200] / 10
    clip[30:80] += 18.0
    clip[120:170] += 18.0
    noise = estimate_noise(clip)
    assert noise.step_sd == pytest.approx(0.3, rel=0.2)
    assert noise.long_run_sd < 0.6


def test_a_slow_wave_is_no_noise() -> None:
    noise = estimate_noise(8 * np.sin(np.arange(1500) / 200))
    assert noise.step_sd < 0.05
    assert noise.long_run_sd == pytest.approx(MAX_CORRELATION * noise.step_sd)


@given(arrays(np.float64, st.integers(1, 60), elements=st.floats(-80, 16)), st.floats(0.1, 9), st.floats(-20, 20))
def test_noise_scales_with_the_logits(logits: np.ndarray, factor: float, shift: float) -> None:
    noise, changed = estimate_noise(logits), estimate_noise(logits * factor + shift)
    assert changed.level == pytest.approx(noise.level * factor + shift, abs=1e-6)
    assert changed.step_sd == pytest.approx(noise.step_sd * factor, abs=1e-6)
    assert changed.long_run_sd == pytest.approx(noise.long_run_sd * factor, abs=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_so_few_steps_that_are_alike_have_no_noise(steps: int) -> None:
    assert estimate_noise(np.full(steps, -2.0)) == Noise(-2.0, 0.0, 0.0)


def test_the_distance_is_at_least_the_deviation() -> None:
    assert Noise(-6.0, 1.0, 2.0).distance(-1.0) == 5.0
    assert Noise(4.0, 1.0, 2.0).distance(-1.0) == 5.0
    assert Noise(-1.5, 1.0, 2.0).distance(-1.0) == 2.0


def test_logits_of_probabilities() -> None:
    probabilities = np.array([0.0, 0.3, 0.5, 1.0], dtype=np.float32)
    assert to_logits(probabilities) == pytest.approx([MIN_LOGIT, logit(0.3), 0.0, MAX_LOGIT], abs=1e-6)
    assert logit(0.3) == pytest.approx(-0.8473, abs=1e-4)
