"""Text for the terminal: times, sizes and tables; hostile names stay on one line."""

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pesearch.cli.render import format_path, format_size, moment_lines, table_lines
from pesearch.cues import CueKind, FoundBy, FoundCue
from pesearch.formatting import format_clock, format_span, quote_path
from pesearch.locations import Location
from pesearch.types import MediaFile, MediaInfo, MediaKind, Moment


@given(st.text(max_size=40))
def test_a_path_is_printed_on_one_line(name: str) -> None:
    assert len(format_path(Path(name)).splitlines()) <= 1
    assert format_path(Path(name)).isprintable()


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=20))
def test_a_printable_path_is_quoted_for_the_shell(name: str) -> None:
    if name.isprintable():
        assert shlex.split(quote_path(Path(name))) == [str(Path(name))]


def test_a_hostile_path_survives_the_shell() -> None:
    path = Path("a\nb'c\\d\x1b[31m.mp4")
    printed = subprocess.run(["bash", "-c", f"printf %s {quote_path(path)}"], capture_output=True, check=True).stdout
    assert printed == str(path).encode()


def test_clock_rounds_to_tenths() -> None:
    assert format_clock(0.0) == "00:00.0"
    assert format_clock(62.34) == "01:02.3"
    assert format_clock(59.99) == "01:00.0"
    assert format_clock(3723.5) == "1:02:03.5"
    assert format_span(1, 2) == "00:01.0-00:02.0"


@given(st.floats(0, 1e6))
def test_clock_is_within_half_a_tenth(seconds: float) -> None:
    total = 0.0
    for part in format_clock(seconds).split(":"):
        total = total * 60 + float(part)
    assert abs(total - seconds) <= 0.0501


def test_size_and_table() -> None:
    assert format_size(1_500_000) == "1.5 MB"
    assert format_size(3_390_000_000) == "3.39 GB"
    assert list(table_lines(("A", "B"), [("long", "x"), ("y", "z")])) == ["A     B", "long  x", "y     z"]


def test_moment_lines_mark_uncertain_matches_and_show_cues() -> None:
    file = MediaFile(1, "print", MediaInfo(MediaKind.VIDEO, 9.0, None, None), (Location(Path("/a.mp4"), 1, 1),))
    cue = FoundCue(1.0, 2.0, "mind\nthe gap", CueKind.SUBTITLE, "a.srt")
    other = replace(cue, text="careful", found_by=FoundBy.MEANING)
    moment = Moment(1, file, 1.0, 2.0, 0.4, (), (), (cue, other))
    certain, uncertain = list(moment_lines(moment, True)), list(moment_lines(moment, False))
    assert (certain[0][:5], uncertain[0][:5]) == ("  1. ", "  1? ")
    assert certain[1].strip() == 'subtitle 00:01.0-00:02.0 "mind\\nthe gap" (a.srt)'
    assert certain[2].strip() == 'subtitle 00:01.0-00:02.0 "careful" (a.srt, by meaning)'
    assert certain[1:] == uncertain[1:]


def test_only_images_are_stills() -> None:
    """A moment of a film is one where it begins and ends at the same time."""
    for kind, when, lines in ((MediaKind.VIDEO, "00:04.0-00:04.0", 2), (MediaKind.IMAGE, "still", 1)):
        file = MediaFile(1, "print", MediaInfo(kind, 4.0, None, None), (Location(Path(__file__), 1, 1),))
        printed = list(moment_lines(Moment(1, file, 4.0, 4.0, 0.4, (), ()), True))
        assert printed[0].split()[2] == when
        assert len(printed) == lines, "the command that plays it"
