"""The tray keeps its moments, and takes their exact versions."""

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


def test_toggling_adds_and_removes_a_moment() -> None:
    tray = Tray()
    tray.toggle(WIDE, "siren")
    tray.toggle(LATER, "train")
    assert tray.moments == {WIDE: "siren", LATER: "train"}
    tray.toggle(EXACT, "siren")  # the exact version of the first one
    assert tray.moments == {LATER: "train"}


def test_an_exact_moment_replaces_the_one_in_the_tray() -> None:
    tray = Tray()
    tray.toggle(WIDE, "siren")
    tray.toggle(LATER, "train")
    tray.update([EXACT, replace(EXACT, rank=3, start_seconds=7.0, end_seconds=9.0)], "siren")
    assert list(tray.moments.items()) == [(EXACT, "siren"), (LATER, "train")]
    assert tray.contains(WIDE)


def test_results_of_another_query_replace_nothing() -> None:
    tray = Tray()
    tray.toggle(EXACT, "siren")
    tray.update([WIDE], "violin")
    assert tray.moments == {EXACT: "siren"}


def test_moments_are_the_same_when_they_overlap_in_one_file() -> None:
    assert is_same(WIDE, EXACT)
    assert not is_same(WIDE, LATER)
    assert not is_same(WIDE, replace(WIDE, file=replace(FILE, id=2)))
    still = replace(WIDE, start_seconds=0.0, end_seconds=0.0)
    assert is_same(still, still)
