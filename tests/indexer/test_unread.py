"""The remarks on stretches that could not be decoded: their places and seconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.indexer.unread import Segment, Unread, UnreadStretches
from pesearch.types import Remark


def remarks_of(*pictures: Segment, duration: float = 600.0) -> tuple[Remark, ...]:
    unread = UnreadStretches()
    for start, end in pictures:
        unread.add(Unread.PICTURES, start, end)
    return unread.remarks(duration)


@pytest.mark.parametrize(
    ("stretches", "places", "seconds"),
    [
        ([(12.5, 13.125)], "at 00:12.5", 0.625),
        ([(12.5, 13.125), (80.0, 85.625)], "at 00:12.5 and 01:20.0-01:25.6", 6.25),
        ([(12.5, 13.125), (13.125, 13.75), (13.75, 14.375)], "at 00:12.5-00:14.4", 1.875),
        ([(1, 2), (3, 4), (3600, 3610)], "at 00:01.0-00:02.0, 00:03.0-00:04.0 and 1:00:00.0-1:00:10.0", 12.0),
        ([(n * 10, n * 10 + 1) for n in range(7)], "at 00:00.0-00:01.0, 00:10.0-00:11.0, 00:20.0-00:21.0, "
         "00:30.0-00:31.0 and 3 more places", 7.0),
        ([(0.0, 300.0), (300.0, 600.0)], "in the whole file", 600.0),
    ],
)  # fmt: skip
def test_places_are_named(stretches: list[Segment], places: str, seconds: float) -> None:
    assert remarks_of(*stretches) == (Remark(f"pictures could not be decoded {places}", seconds),)


def test_less_than_a_tenth_of_a_second_has_no_remark() -> None:
    assert remarks_of() == remarks_of((1.0, 1.09)) == ()


def test_each_reason_has_its_remark() -> None:
    unread = UnreadStretches()
    unread.add(Unread.UNCHANGED, 100.0, 120.0)
    unread.add(Unread.SOUND, 0.0, 20.0)
    assert [remark.reason for remark in unread.remarks(200.0)] == [
        "sound could not be decoded at 00:00.0-00:20.0",
        "left out, because there is no new picture and no sound at 01:40.0-02:00.0",
    ]


@given(st.sets(st.integers(0, 200)))
def test_joined_stretches_have_the_seconds_of_their_parts(missing: set[int]) -> None:
    """Frames 0.625 s apart; the places that are named grow with the gaps between them, not with the frames."""
    found = remarks_of(*((number * 0.625, (number + 1) * 0.625) for number in sorted(missing)))
    assert sum(remark.seconds or 0.0 for remark in found) == pytest.approx(0.625 * len(missing), abs=0.001)
    runs = sum(number - 1 not in missing for number in missing)
    assert sum(remark.reason.count(":") for remark in found) <= 2 * min(runs, 4)
