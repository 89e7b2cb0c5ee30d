"""Seconds as whole frames: rates, intervals, padding."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.export.clip_selection import STILL_SECONDS, Selection
from pesearch.export.timecode import RATES, common_rate, frame_rate, frame_span, rate_text
from tests.export.hostile import film, selections, sound, still


@pytest.mark.parametrize(
    ("measured", "rate"),
    [
        (29.97, Fraction(30000, 1001)),
        (29.97003, Fraction(30000, 1001)),
        (29.98, Fraction(30000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (119.88, Fraction(60000, 1001)),
        (24.0, Fraction(24)),
        (25.0, Fraction(25)),
        (30.0, Fraction(30)),
        (29.999, Fraction(30)),
        (15.0, Fraction(30)),
        (14.985, Fraction(30000, 1001)),
        (12.5, Fraction(25)),
        (10.0, Fraction(30)),
        (120.0, Fraction(60)),
        (90_000.0, Fraction(60)),
        (24.7, Fraction(25)),
        (0.0, Fraction(25)),
        (math.nan, Fraction(25)),
        (math.inf, Fraction(25)),
        (-30.0, Fraction(25)),
        (None, Fraction(25)),
    ],
)
def test_measured_rates_map_to_timecode_rates(measured: float | None, rate: Fraction) -> None:
    assert frame_rate(measured) == rate


@given(st.floats(0, allow_nan=False))
def test_every_measured_rate_has_a_timecode_rate(measured: float) -> None:
    assert frame_rate(measured) in RATES


@given(selections(), st.sampled_from([None, *RATES]))
def test_both_ends_are_at_the_nearest_frame_inside_the_file(selection: Selection, rate: Fraction | None) -> None:
    span = frame_span(selection, rate)
    assert 0 <= span.first < span.end <= span.total
    half = Fraction(1, 2) / span.rate
    start, end = (Fraction(seconds) for seconds in selection.interval_seconds)
    last = span.total / span.rate
    assert abs(span.first / span.rate - start) <= half or (span.first == span.total - 1 and start >= last - 2 * half)
    assert abs(span.end / span.rate - end) <= half or span.count == 1
    if selection.media is not None and not selection.is_still:
        assert abs(last - Fraction(selection.duration_seconds)) <= half or span.total == 1


@given(selections(), st.floats(0, 100))
def test_padding_contains_the_moment_and_stays_in_the_file(selection: Selection, seconds: float) -> None:
    start, end = selection.interval_seconds
    padded_start, padded_end = selection.padded(seconds).interval_seconds
    assert 0 <= padded_start <= start
    assert end <= padded_end <= max(end, selection.duration_seconds)
    if selection.is_still:
        assert (padded_start, padded_end) == (0, STILL_SECONDS)


def test_padding_extends_both_ends() -> None:
    def padded(selection: Selection) -> tuple[float, float]:
        result = selection.padded(1.5)
        return result.start_seconds, result.end_seconds

    assert padded(film(2.0, 4.0)) == (0.5, 5.5)
    assert padded(film(0.5, 59.5, seconds=60.0)) == (0.0, 60.0)
    assert padded(Selection(Path("/offline/film.mp4"), 2.0, 4.0)) == (0.5, 4.0)  # its duration is unknown


def test_common_rate_is_the_most_frequent_and_the_higher_in_a_tie() -> None:
    mixed = [film(0, 1, 25.0), film(0, 1, 30.0), film(0, 1, 30.0), sound(0, 1), sound(0, 1), sound(0, 1), still()]
    assert common_rate(mixed) == 30
    assert common_rate([film(0, 1, 25.0), film(0, 1, 50.0)]) == 50
    assert common_rate([sound(0, 1)]) == 25


def test_rate_text() -> None:
    assert [rate_text(rate) for rate in RATES] == ["23.976", "24", "25", "29.97", "30", "48", "50", "59.94", "60"]
