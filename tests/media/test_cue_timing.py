"""Cues beyond the end of their file, and subtitles that begin at a timecode."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pesearch.cues import Cue, CueKind
from pesearch.media.cue_timing import place

MINUTE = 60.0


def subtitles(*starts: float) -> list[Cue]:
    return [Cue(start, start + 1, f"at {start}", CueKind.SUBTITLE, "film.srt") for start in starts]


def starts(cues: tuple[Cue, ...]) -> list[float]:
    return [cue.start_seconds for cue in cues]


def test_cues_beyond_the_end_are_counted() -> None:
    placed = place(subtitles(1, 30, 61, 4000), MINUTE)
    assert starts(placed.cues) == [1, 30]
    assert placed.remarks == ("2 of 4 cues left out: not within the file's 01:00.0",)
    assert place(subtitles(1, 30), MINUTE).remarks == ()


def test_a_cue_that_begins_at_the_end_has_no_part_in_the_file() -> None:
    """Of a still, whose end is its beginning, it has."""
    placed = place(subtitles(59.9, 60), MINUTE)
    assert starts(placed.cues) == [59.9]
    assert placed.remarks == ("1 of 2 cues left out: not within the file's 01:00.0",)
    assert starts(place(subtitles(0, 1), 0.0).cues) == [0]


def test_all_beyond_the_end() -> None:
    placed = place(subtitles(1300, 1310), MINUTE)
    assert placed.cues == () and placed.remarks == ("2 of 2 cues left out: not within the file's 01:00.0",)


@given(st.integers(1, 23), st.lists(st.floats(0, 59), min_size=1, max_size=20))
def test_whole_hours_are_subtracted(hours: int, times: list[float]) -> None:
    """From subtitles of broadcasters, which begin at 10:00:00 or 01:00:00."""
    placed = place(subtitles(*(hours * 3600 + time for time in times)), MINUTE)
    assert all(abs(start - time) < 1e-6 for start, time in zip(starts(placed.cues), times, strict=True))
    assert placed.remarks == (f"timecodes from {hours}:00:00.0 on: counted from there",)


def test_the_timecode_of_the_file_counts_first() -> None:
    placed = place(subtitles(36930, 36950), MINUTE, timecode_seconds=36920.0)
    assert starts(placed.cues) == [10, 30]


def test_a_leader_before_the_hour_does_no_harm() -> None:
    placed = place(subtitles(0, 35998, *range(36001, 36020)), MINUTE)
    assert starts(placed.cues) == [0, *range(1, 20)]


def test_hours_that_do_not_fit_are_not_subtracted() -> None:
    assert place(subtitles(3600, 3610, 3800, 3900), MINUTE).cues == ()


def test_titles_are_never_beyond_the_end() -> None:
    title = Cue(0.0, float("inf"), "A film", CueKind.TITLE, "tag title")
    assert place([title], 0.0).cues == (title,)
