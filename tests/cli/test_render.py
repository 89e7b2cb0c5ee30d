"""Lines for people: times read right, and hostile names stay on their line."""

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pesearch.cli.render import moment_lines, shown, size, table
from pesearch.cues import CueKind, FoundBy, FoundCue
from pesearch.formatting import format_clock, format_span, quote_path
from pesearch.locations import Location
from pesearch.types import MediaFile, MediaInfo, MediaKind, Moment


@given(st.text(max_size=40))
def test_a_name_is_shown_on_one_line(name: str) -> None:
    assert len(shown(Path(name)).splitlines()) <= 1
    assert shown(Path(name)).isprintable()


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=20))
def test_a_printable_name_is_quoted_for_the_shell(name: str) -> None:
    if name.isprintable():
        assert shlex.split(quote_path(Path(name))) == [str(Path(name))]


def test_a_hostile_name_comes_back_from_the_shell_as_it_was() -> None:
    path = Path("a\nb'c\\d\x1b[31m.mp4")
    echoed = subprocess.run(["bash", "-c", f"printf %s {quote_path(path)}"], capture_output=True, check=True).stdout
    assert echoed == str(path).encode()


def test_clock() -> None:
    assert format_clock(0.0) == "00:00.0"
    assert format_clock(62.34) == "01:02.3"
    assert format_clock(59.99) == "01:00.0"
    assert format_clock(3723.5) == "1:02:03.5"
    assert format_span(1, 2) == "00:01.0-00:02.0"


@given(st.floats(0, 1e6))
def test_clock_is_right_to_a_tenth(seconds: float) -> None:
    total = 0.0
    for part in format_clock(seconds).split(":"):
        total = total * 60 + float(part)
    assert abs(total - seconds) <= 0.0501


def test_size_and_table() -> None:
    assert size(1_500_000) == "1.5 MB"
    assert size(3_390_000_000) == "3.39 GB"
    assert list(table(("A", "B"), [("long", "x"), ("y", "z")])) == ["A     B", "long  x", "y     z"]


def test_what_is_no_match_is_marked_and_what_is_written_is_shown() -> None:
    file = MediaFile(1, "print", MediaInfo(MediaKind.VIDEO, 9.0, None, None), (Location(Path("/a.mp4"), 1, 1),))
    cue = FoundCue(1.0, 2.0, "mind\nthe gap", CueKind.SUBTITLE, "a.srt")
    other = replace(cue, text="careful", found_by=FoundBy.MEANING)
    moment = Moment(1, file, 1.0, 2.0, 0.4, (), (), (cue, other))
    sure, unsure = list(moment_lines(moment, True)), list(moment_lines(moment, False))
    assert (sure[0][:5], unsure[0][:5]) == ("  1. ", "  1? ")
    assert sure[1].strip() == 'subtitle 00:01.0-00:02.0 "mind\\nthe gap" (a.srt)'
    assert sure[2].strip() == 'subtitle 00:01.0-00:02.0 "careful" (a.srt, by meaning)'
    assert sure[1:] == unsure[1:]
