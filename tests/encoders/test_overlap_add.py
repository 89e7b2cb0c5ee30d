"""Windows cover a sound, and what is heard in them is put together without a seam."""

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
def test_windows_cover_all_and_end_where_the_sound_ends(steps: int, hop: int) -> None:
    bounds = overlapping_windows(steps, hop)
    assert all(stop - first == min(steps, WINDOW_STEPS) for first, stop in bounds)
    assert (bounds[0][0], bounds[-1][1]) == (0, steps)
    assert {step for first, stop in bounds for step in range(first, stop)} == set(range(steps))


@given(STEPS)
def test_every_step_lies_well_inside_a_window(steps: int) -> None:
    least = (WINDOW_STEPS - HOP_STEPS) // 2
    for step in range(0, steps, 7):
        assert any(
            (step - first >= least or first == 0) and (stop - step > least or stop == steps)
            for first, stop in overlapping_windows(steps)
            if first <= step < stop
        )


@given(STEPS, HOPS)
def test_windows_that_agree_are_put_together_as_they_are(steps: int, hop: int) -> None:
    whole, bounds = logits_of(steps), overlapping_windows(steps, hop)
    pieces = list(overlap_add(bounds, (whole[:, first:stop] for first, stop in bounds)))
    assert all(piece.dtype == np.float32 for piece in pieces)
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-5)


@given(STEPS, HOPS)
def test_windows_that_differ_are_weighted_by_how_far_their_edges_are(steps: int, hop: int) -> None:
    bounds = overlapping_windows(steps, hop)
    heard = [logits_of(number + 1 + stop - first)[:, : stop - first] for number, (first, stop) in enumerate(bounds)]
    sums, weights = np.zeros((2, steps)), np.zeros(steps)
    for (first, stop), own in zip(bounds, heard, strict=True):
        sums[:, first:stop] += own * triangle(stop - first)
        weights[first:stop] += triangle(stop - first)
    np.testing.assert_allclose(np.concatenate(list(overlap_add(bounds, heard)), axis=1), sums / weights, atol=1e-4)


def test_a_window_is_given_out_before_the_next_but_one_is_heard() -> None:
    bounds, asked = overlapping_windows(10 * WINDOW_STEPS), 0

    def heard() -> object:
        nonlocal asked
        for first, stop in bounds:
            asked += 1
            yield np.zeros((1, stop - first), dtype=np.float32)

    for given_out, _ in enumerate(overlap_add(bounds, heard()), start=1):  # type: ignore[arg-type]  # a generator of arrays
        assert asked <= given_out + 1


def test_nothing_has_no_windows() -> None:
    assert overlapping_windows(0) == []
    assert list(overlap_add([], [])) == []
