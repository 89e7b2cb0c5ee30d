"""Evidence, cues and times as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from pesearch.cues import CueKind, FoundBy, FoundCue
from pesearch.formatting import format_clock, format_cue, format_evidence, format_span, printable, quote_path
from pesearch.types import Hit, SpaceName


def test_clock_and_span_are_rounded_to_tenths_of_a_second() -> None:
    assert [format_clock(seconds) for seconds in (0.0, 59.99, 62.34, 3723.5)] == [
        "00:00.0",
        "01:00.0",
        "01:02.3",
        "1:02:03.5",
    ]
    assert format_span(1.26, 62) == "00:01.3-01:02.0"


def test_evidence_shows_the_best_rank_of_each_sense_best_first() -> None:
    ranks = [(SpaceName.FRAME, 3), (SpaceName.AUDIO, 2), (SpaceName.VIDEO, 7), (SpaceName.AUDIO_VIDEO, 1)]
    hits = [Hit(1, space, 0.0, 10.0, 0.5, rank) for space, rank in ranks]
    assert format_evidence(hits) == "seen and heard #1, heard #2, seen #3"
    assert format_evidence([]) == ""


@pytest.mark.parametrize(
    ("kind", "found_by", "text"),
    [
        (CueKind.SUBTITLE, FoundBy.WORDS, 'subtitle 00:01.2-00:02.1 "mind the gap" (film.srt)'),
        (CueKind.CHAPTER, FoundBy.MEANING, 'chapter 00:01.2-00:02.1 "mind the gap" (film.srt, by meaning)'),
        (CueKind.TITLE, FoundBy.WORDS, 'title "mind the gap" (film.srt)'),
    ],
)
def test_cues_have_kind_time_text_and_source(kind: CueKind, found_by: FoundBy, text: str) -> None:
    assert format_cue(FoundCue(1.2, 2.1, "mind the gap", kind, "film.srt", found_by=found_by)) == text


def test_long_cues_are_cut_to_100_characters() -> None:
    assert f'"{"a" * 99}…"' in format_cue(FoundCue(0, 1, "a" * 101, CueKind.SUBTITLE, "film.srt"))
    assert f'"{"a" * 100}"' in format_cue(FoundCue(0, 1, "a" * 100, CueKind.SUBTITLE, "film.srt"))


def test_paths_and_text_stay_on_one_line() -> None:
    assert quote_path(Path("a b.mp4")) == "'a b.mp4'"
    assert quote_path(Path("a\nb'.mp4")) == r"$'a\x0ab\x27.mp4'"
    assert printable("a\nb\x1b") == r"a\nb\x1b"
    assert printable("a\nb", replacement="?") == "a?b"
