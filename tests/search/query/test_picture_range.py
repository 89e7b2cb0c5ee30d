"""Conditions on sizes and frame rates."""

from __future__ import annotations

import pytest

from pesearch.errors import QueryError
from pesearch.search.query.picture_range import parse_frame_rate, parse_size

FULL_HD, UHD, PAL, CROPPED, HDV = (1920, 1080), (3840, 2160), (720, 576), (1920, 800), (1440, 1080)
DCI, UPRIGHT, QHD = (4096, 2160), (1080, 1920), (2560, 1440)
EVERY = (FULL_HD, UHD, PAL, CROPPED, HDV, DCI, UPRIGHT, QHD)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("1920x1080", {FULL_HD, UPRIGHT}),
        ("1080 × 1920", {FULL_HD, UPRIGHT}),
        ("1080p", {FULL_HD, UPRIGHT, CROPPED, HDV}),
        ("4K", {UHD, DCI}),
        ("2160p", {UHD, DCI}),
        (">=1080p", {*EVERY} - {PAL}),
        (">1080p", {UHD, DCI, QHD}),
        ("<=1080p", {FULL_HD, UPRIGHT, CROPPED, HDV, PAL}),
        ("<1080p", {PAL}),
        (">=4k", {UHD, DCI}),
        (">4k", set()),
        (">= 1920x1080", {FULL_HD, UPRIGHT, UHD, DCI, QHD}),
        (">1920x1080", {UHD, DCI, QHD}),
        ("<=1920x1080", {FULL_HD, UPRIGHT, CROPPED, HDV, PAL}),
        ("<1920x1080", {CROPPED, HDV, PAL}),
        ("8k", set()),
    ],
)
def test_sizes(text: str, kept: set[tuple[int, int]]) -> None:
    assert {size for size in EVERY if parse_size(text).contains(*size)} == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("30", {29.97003, 30.0, 30.02}),
        ("29.97", {29.97003}),
        ("24 fps", {23.97602, 24.0}),
        ("23.976", {23.97602}),
        ("25", {25.0}),
        (">=50", {50.0, 59.94006, 60.0, 240.0}),
        (">=60", {59.94006, 60.0, 240.0}),
        (">60", {240.0}),
        ("<=25", {23.97602, 24.0, 25.0}),
        ("<24", set()),
    ],
)
def test_frame_rates(text: str, kept: set[float]) -> None:
    rates = (0.0, 23.97602, 24.0, 25.0, 29.97003, 30.0, 30.02, 50.0, 59.94006, 60.0, 240.0)
    assert {rate for rate in rates if parse_frame_rate(text).contains(rate)} == kept


@pytest.mark.parametrize("text", ["", "big", "1920", "1920x", "0x0", "12k", "=>1080p", "1080p60", "-1p"])
def test_invalid_sizes(text: str) -> None:
    with pytest.raises(QueryError, match="is not a size: write 1920x1080"):
        parse_size(text)


@pytest.mark.parametrize("text", ["", "0", "fast", "25/1", "-25", "nan", "30..60"])
def test_invalid_frame_rates(text: str) -> None:
    with pytest.raises(QueryError, match="is not a frame rate: write 25"):
        parse_frame_rate(text)
