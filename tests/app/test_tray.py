"""The tray: what is in it stays the same moment while more becomes known of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pesearch.app.tray import Tray, is_same
from pesearch.locations import Location
from pesearch.types import Event, MediaFile, MediaInfo, MediaKind, Moment

FILE = MediaFile(1, "content", MediaInfo(MediaKind.VIDEO, 60.0, None, None), (Location(Path("/a.mp4"), 1, 1),))
WIDE = Moment(1, FILE, 0.0, 10.0, 0.9, (), ())
EXACT = replace(WIDE, rank=2, start_seconds=2.0, end_seconds=5.0, events=(Event("siren", 2.0, 5.0, 0.9),))
LATER = replace(WIDE, start_seconds=10.0, end_seconds=20.0)


def test_a_moment_goes_in_and_out() -> None:
    tray = Tray()
    tray.toggle(WIDE, "siren")
    tray.toggle(LATER, "train")
    assert tray.moments == {WIDE: "siren", LATER: "train"}
    tray.toggle(EXACT, "siren")  # it is the first one, as it is known later
    assert tray.moments == {LATER: "train"}


def test_what_becomes_known_later_takes_the_place_of_the_moment() -> None:
    tray = Tray()
    tray.toggle(WIDE, "siren")
    tray.toggle(LATER, "train")
    tray.sharpen([EXACT, replace(EXACT, rank=3, start_seconds=7.0, end_seconds=9.0)], "siren")
    assert list(tray.moments.items()) == [(EXACT, "siren"), (LATER, "train")]
    assert tray.holds(WIDE)


def test_what_another_question_finds_leaves_it_as_it_was_chosen() -> None:
    tray = Tray()
    tray.toggle(EXACT, "siren")
    tray.sharpen([WIDE], "violin")
    assert tray.moments == {EXACT: "siren"}


def test_moments_are_the_same_where_they_share_time_of_one_file() -> None:
    assert is_same(WIDE, EXACT)
    assert not is_same(WIDE, LATER)
    assert not is_same(WIDE, replace(WIDE, file=replace(FILE, id=2)))
    still = replace(WIDE, start_seconds=0.0, end_seconds=0.0)
    assert is_same(still, still)
