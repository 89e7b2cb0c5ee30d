"""Laws of the spans found in probabilities."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.search.events.noise import Noise
from pesearch.search.events.postprocess import (
    BLOCK_STEPS,
    RULE,
    THRESHOLD,
    Rule,
    Span,
    SpanFinder,
    false_alarm_evidence,
    find_runs,
    find_spans,
)
from pesearch.types import FloatArray

LEVELS = st.sampled_from([0.0, 0.1, 0.2, 0.31, 0.5, 0.9]) | st.floats(0, 1, width=32)
PROBABILITIES = arrays(np.float32, st.integers(0, 120), elements=LEVELS)
RULES = st.builds(Rule, st.floats(0.5, 4.0), st.integers(1, 9), st.floats(0.0, 0.4))


def curve(*parts: tuple[int, float]) -> FloatArray:
    return np.concatenate([np.full(steps, value, dtype=np.float32) for steps, value in parts])


def found_in(parts: list[FloatArray], rule: Rule = RULE) -> list[Span]:
    finder = SpanFinder(THRESHOLD, rule)
    return [span for part in parts for span in finder.push(part)] + finder.finish()


def with_noise(logits: np.ndarray, deviation: float, alike_steps: int = 1) -> FloatArray:
    """Probabilities after Gaussian noise on the logits, averaged over so many steps."""
    white = np.random.default_rng(7).normal(0.0, deviation, len(logits) + alike_steps - 1)
    noise = np.convolve(white, np.full(alike_steps, alike_steps**-0.5), "valid") if len(logits) else white[:0]
    return (1.0 / (1.0 + np.exp(-logits - noise))).astype(np.float32)


def five_minutes(*sounds: tuple[int, int]) -> np.ndarray:
    """Logits of five minutes: -8, and 6 in the sounds [start, stop)."""
    logits = np.full(7500, -8.0)
    for start, stop in sounds:
        logits[start:stop] = 6.0
    return logits


@given(PROBABILITIES, RULES)
def test_the_mean_of_a_span(probabilities: FloatArray, rule: Rule) -> None:
    for span in found_in([probabilities], rule):
        assert span.mean == pytest.approx(probabilities[span.start : span.stop].mean(dtype=np.float64), abs=1e-6)


@given(st.integers(0, 2**32), st.integers(0, 6000), st.floats(0.0, 8.0), st.lists(st.integers(0, 6000), max_size=9))
def test_pieces_give_the_same_spans(seed: int, steps: int, deviation: float, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.normal(-4.0, 5.0, 60), 100)[:steps]
    probabilities = with_noise(levels, deviation)
    assert found_in(np.split(probabilities, sorted(min(cut, steps) for cut in cuts))) == found_in([probabilities])


def test_memory_is_constant() -> None:
    finder = SpanFinder()
    for piece in np.split(with_noise(five_minutes((3000, 3050)), 3.0), 75):
        finder.push(piece)
        assert len(finder._waiting) <= 1.5 * BLOCK_STEPS


@given(PROBABILITIES)
def test_spans_are_sorted_separated_and_long_enough(probabilities: FloatArray) -> None:
    found = find_spans(probabilities)
    assert all(stop - start > RULE.min_steps for start, stop in found)
    assert all(start >= 0 and stop <= len(probabilities) for start, stop in found)
    assert all(after[0] - before[1] > RULE.min_steps for before, after in pairwise(found))


@given(PROBABILITIES, st.floats(0.05, 0.9))
def test_every_span_rises_above_the_threshold(probabilities: FloatArray, threshold: float) -> None:
    assert all(
        probabilities[start:stop].max() > np.float32(threshold) for start, stop in find_spans(probabilities, threshold)
    )


@given(arrays(np.bool_, st.integers(0, 60)))
def test_runs_cover_exactly_the_true_values(active: np.ndarray) -> None:
    covered = np.zeros(len(active), dtype=bool)
    for start, stop in find_runs(active):
        assert start < stop
        assert not covered[start:stop].any()
        covered[start:stop] = True
    assert np.array_equal(covered, active)


def test_a_clear_sound_keeps_its_onset_and_offset() -> None:
    assert find_spans(curve((30, 0.05), (50, 0.9), (20, 0.05))) == [(30, 80)]


def test_a_span_may_reach_both_ends() -> None:
    assert find_spans(curve((40, 0.8))) == [(0, 40)]


def test_flicker_is_removed_and_a_short_gap_closed() -> None:
    assert find_spans(curve((30, 0.0), (2, 1.0), (30, 0.0))) == []
    assert find_spans(curve((10, 0.0), (20, 0.9), (3, 0.0), (20, 0.9), (10, 0.0))) == [(10, 53)]


def test_a_pause_separates_two_spans() -> None:
    assert find_spans(curve((10, 0.0), (20, 0.9), (15, 0.0), (20, 0.9), (10, 0.0))) == [(10, 30), (45, 65)]


@given(st.integers(1, 120), st.floats(0.05, 0.95))
def test_the_threshold_is_exclusive(steps: int, threshold: float) -> None:
    assert find_spans(np.full(steps, threshold, dtype=np.float32), threshold) == []


def test_a_span_extends_below_the_threshold_but_its_mean_is_above_it() -> None:
    assert find_spans(curve((10, 0.0), (5, 0.26), (20, 0.6), (5, 0.26), (10, 0.0))) == [(10, 40)]
    assert find_spans(curve((10, 0.0), (40, 0.26), (10, 0.0))) == []


def test_weak_evidence_takes_more_steps() -> None:
    """A probability of 0.4 is 0.84 logits above the lower threshold: six steps give 5.05, five 4.2."""
    assert find_spans(curve((40, 0.01), (6, 0.4), (40, 0.01))) == [(40, 46)]
    assert find_spans(curve((40, 0.01), (5, 0.4), (40, 0.01))) == []


def test_noise_neither_adds_nor_splits_spans() -> None:
    """With this noise the plain threshold makes hundreds of runs out of four sounds."""
    sounds = (1000, 1040), (2000, 2100), (2240, 2300), (6000, 6030)
    probabilities = with_noise(five_minutes(*sounds), 6.0)
    assert len(find_runs(probabilities > THRESHOLD)) > 400
    assert np.abs(np.subtract(find_spans(probabilities), sounds)).max() <= 2


def test_noise_in_one_part_of_a_file_leaves_the_others_alone() -> None:
    """Sounds of a third of a second are found in the clean first minutes, noise is not in the last."""
    logits = five_minutes((1000, 1008), (2000, 2008))
    noisy = np.concatenate([with_noise(logits[:4500], 0.1), with_noise(logits[4500:], 10.0)])
    assert find_spans(noisy) == [(1000, 1008), (2000, 2008)]


@pytest.mark.parametrize(("deviation", "alike_steps"), [(6.0, 1), (12.0, 1), (3.0, 5), (6.0, 5)])
def test_an_hour_of_noise_has_hardly_any_spans(deviation: float, alike_steps: int) -> None:
    assert len(find_spans(with_noise(np.full(90_000, -8.0), deviation, alike_steps))) <= 1


def test_evidence_of_a_false_alarm() -> None:
    assert false_alarm_evidence(Noise(-9.0, 2.0, 4.0), -1.0, 1500) == pytest.approx(np.log(1500))
    assert false_alarm_evidence(Noise(-9.0, 0.0, 0.0), -1.0, 1500) == 0.0
