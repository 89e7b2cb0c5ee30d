"""Laws of the spans found in probabilities."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.search.events.postprocess import (
    RULE,
    THRESHOLD,
    Rule,
    RunningMedian,
    Span,
    SpanFinder,
    find_runs,
    find_spans,
    presence,
)
from pesearch.types import FloatArray

LEVELS = st.sampled_from([0.0, 0.1, 0.2, 0.31, 0.5, 0.9]) | st.floats(0, 1, width=32)
PROBABILITIES = arrays(np.float32, st.integers(0, 120), elements=LEVELS)
RULES = st.builds(Rule, st.sampled_from([1, 3, 7, 9]), st.floats(0.2, 1.0), st.integers(0, 9), st.integers(1, 9))


def curve(*parts: tuple[int, float]) -> FloatArray:
    return np.concatenate([np.full(steps, value, dtype=np.float32) for steps, value in parts])


def found_in(parts: list[FloatArray], rule: Rule) -> list[Span]:
    finder = SpanFinder(THRESHOLD, rule)
    return [span for part in parts for span in finder.push(part)] + finder.finish()


def plain_spans(probabilities: FloatArray, threshold: float, rule: Rule) -> list[tuple[int, int]]:
    """The rule by its definition, over all steps at once."""
    smoothed = plain_medians(probabilities, rule.median_steps)
    carried = find_runs(smoothed > np.float32(threshold * rule.hysteresis_ratio))
    is_above = smoothed > np.float32(threshold)
    kept = [(start, stop) for start, stop in carried if is_above[start:stop].any()]
    joined: list[tuple[int, int]] = []
    for start, stop in kept:
        if joined and start - joined[-1][1] <= rule.max_gap_steps:
            start = joined.pop()[0]
        joined.append((start, stop))
    return [(start, stop) for start, stop in joined if is_above[start:stop].sum() >= rule.min_steps]


def plain_medians(values: FloatArray, steps: int) -> FloatArray:
    padded = np.pad(values, steps // 2, mode="edge") if len(values) else values
    return np.array([np.median(padded[step : step + steps]) for step in range(len(values))], dtype=np.float32)


@given(PROBABILITIES, RULES)
def test_spans_equal_a_direct_implementation_of_the_rule(probabilities: FloatArray, rule: Rule) -> None:
    assert find_spans(probabilities, THRESHOLD, rule) == plain_spans(probabilities, THRESHOLD, rule)


@given(PROBABILITIES, RULES, st.lists(st.integers(0, 120)))
def test_pieces_give_the_same_spans(probabilities: FloatArray, rule: Rule, cuts: list[int]) -> None:
    whole = found_in([probabilities], rule)
    pieces = found_in(np.split(probabilities, sorted(min(cut, len(probabilities)) for cut in cuts)), rule)
    assert [(span.start, span.stop) for span in pieces] == [(span.start, span.stop) for span in whole]
    assert [span.mean for span in pieces] == pytest.approx([span.mean for span in whole], abs=1e-9)


@given(PROBABILITIES, RULES)
def test_the_mean_of_a_span(probabilities: FloatArray, rule: Rule) -> None:
    for span in found_in([probabilities], rule):
        assert span.mean == pytest.approx(probabilities[span.start : span.stop].mean(dtype=np.float64), abs=1e-6)


@given(PROBABILITIES, RULES)
def test_memory_is_constant(probabilities: FloatArray, rule: Rule) -> None:
    finder = SpanFinder(THRESHOLD, rule)
    for step in probabilities:
        finder.push(np.array([step]))
        assert len(finder._unfiltered) <= rule.median_steps // 2


@given(PROBABILITIES)
def test_spans_are_sorted_separated_and_long_enough(probabilities: FloatArray) -> None:
    found = find_spans(probabilities)
    assert all(stop - start >= RULE.min_steps for start, stop in found)
    assert all(start >= 0 and stop <= len(probabilities) for start, stop in found)
    assert all(after[0] - before[1] > RULE.max_gap_steps for before, after in pairwise(found))


@given(PROBABILITIES, st.floats(0.05, 0.9), st.floats(0.0, 0.09))
def test_a_lower_threshold_covers_at_least_as_much(probabilities: FloatArray, threshold: float, less: float) -> None:
    def covered(level: float) -> set[int]:
        return {step for start, stop in find_spans(probabilities, level) for step in range(start, stop)}

    assert covered(threshold) <= covered(threshold - less)


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


def test_the_threshold_is_exclusive() -> None:
    assert find_spans(np.full(50, THRESHOLD), THRESHOLD) == []


def test_a_span_extends_below_the_threshold_but_needs_steps_above_it() -> None:
    rule = Rule(median_steps=1, hysteresis_ratio=0.5, max_gap_steps=0, min_steps=1)
    carried = curve((10, 0.0), (5, 0.2), (5, 0.4), (5, 0.2), (10, 0.0), (5, 0.2), (10, 0.0))
    assert find_spans(carried, 0.3, rule) == [(10, 25)]


@given(PROBABILITIES, st.sampled_from([1, 3, 7]), st.integers(1, 20))
def test_the_median_filter_in_pieces(values: FloatArray, steps: int, size: int) -> None:
    median = RunningMedian(steps)
    pieces = [median.push(values[start : start + size]) for start in range(0, len(values), size)] + [median.finish()]
    assert np.array_equal(np.concatenate(pieces), plain_medians(values, steps))


def test_presence_is_the_mean_of_the_highest_half_second() -> None:
    assert presence(curve((100, 0.0), (12, 0.9))) == np.float32(0.9).astype(float)
    assert presence(curve((100, 0.0), (6, 1.0))) == 0.5
    assert presence(curve((4, 0.5))) == 0.5
    assert presence(np.zeros((2, 0), dtype=np.float32)).tolist() == [0.0, 0.0]
