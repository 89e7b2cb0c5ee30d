"""Overlapping windows cover the audio, and their logits are merged without seams."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pesearch.encoders.overlap_add import HOP_STEPS, WINDOW_STEPS, overlap_add, overlapping_windows, triangle
from pesearch.types import FloatArray

STEPS = st.integers(1, 3000)
HOPS = st.integers(30, WINDOW_STEPS)


def logits_of(steps: int) -> FloatArray:
    return np.random.default_rng(steps).standard_normal((2, steps)).astype(np.float32)


@given(STEPS, HOPS)
def test_windows_cover_all_steps_and_end_with_the_audio(steps: int, hop: int) -> None:
    bounds = overlapping_windows(steps, hop)
    assert all(stop - first == min(steps, WINDOW_STEPS) for first, stop in bounds)
    assert (bounds[0][0], bounds[-1][1]) == (0, steps)
    assert {step for first, stop in bounds for step in range(first, stop)} == set(range(steps))


@given(STEPS)
def test_every_step_is_well_inside_a_window(steps: int) -> None:
    min_distance = (WINDOW_STEPS - HOP_STEPS) // 2
    for step in range(0, steps, 7):
        assert any(
            (step - first >= min_distance or first == 0) and (stop - step > min_distance or stop == steps)
            for first, stop in overlapping_windows(steps)
            if first <= step < stop
        )


@given(STEPS, HOPS)
def test_equal_logits_are_merged_unchanged(steps: int, hop: int) -> None:
    whole, bounds = logits_of(steps), overlapping_windows(steps, hop)
    pieces = list(overlap_add(bounds, (whole[:, first:stop] for first, stop in bounds)))
    assert all(piece.dtype == np.float32 for piece in pieces)
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-5)


@given(STEPS, HOPS)
def test_different_logits_are_weighted_by_the_distance_from_the_window_edges(steps: int, hop: int) -> None:
    bounds = overlapping_windows(steps, hop)
    window_logits = [
        logits_of(number + 1 + stop - first)[:, : stop - first] for number, (first, stop) in enumerate(bounds)
    ]
    sums, weights = np.zeros((2, steps)), np.zeros(steps)
    for (first, stop), own in zip(bounds, window_logits, strict=True):
        sums[:, first:stop] += own * triangle(stop - first)
        weights[first:stop] += triangle(stop - first)
    np.testing.assert_allclose(
        np.concatenate(list(overlap_add(bounds, window_logits)), axis=1), sums / weights, atol=1e-4
    )


def test_weights_rise_from_the_edges_to_the_middle() -> None:
    assert triangle(5).tolist() == [1, 2, 3, 2, 1]
    assert triangle(4).tolist() == [1, 2, 2, 1]


def test_a_piece_is_yielded_before_the_window_after_the_next_is_read() -> None:
    bounds, read = overlapping_windows(10 * WINDOW_STEPS), 0

    def logits() -> object:
        nonlocal read
        for first, stop in bounds:
            read += 1
            yield np.zeros((1, stop - first), dtype=np.float32)

    for yielded, _ in enumerate(overlap_add(bounds, logits()), start=1):  # type: ignore[arg-type]  # a generator of arrays
        assert read <= yielded + 1


def test_no_steps_give_no_windows() -> None:
    assert overlapping_windows(0) == []
    assert list(overlap_add([], [])) == []
