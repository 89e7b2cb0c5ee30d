"""Parsing of well-formed and malformed subtitle files."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from weakref import WeakSet

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.errors import MediaError
from pesearch.media.subtitle_times import Entry
from pesearch.media.subtitles import MAX_CUES, TEXT_SUFFIXES, Line, lines_of, parse_subtitles

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Mind</i> the
{\\an8}gap &amp; more

2
00:00:03,000 --> 00:00:04,000
1 < 2, and 3 > 2 <3
"""

ROLLING = """WEBVTT
Kind: captions
Language: en

STYLE
::cue { color: red }

NOTE two words
about this file

00:00:00.160 --> 00:00:02.389 align:start position:0%
~
good<00:00:00.480><c> evening</c><00:00:00.840><c> everyone</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
good evening everyone
~

chapter one
00:00:02.399 --> 00:00:04.550 align:start position:0%
good evening everyone
the<00:00:02.700><c> train</c><00:00:03.000><c> is late</c>

NOTE in between

00:00:04.550 --> 00:00:04.560 align:start position:0%
the train is late
~

00:00:09.000 --> 00:00:10.000
the train is late
""".replace("~", " ")

BEGINNINGS = (
    "[Events]\n00:00:01.000 --> 00:00:02.000\n",
    "{1}{2}",
    "[1][2]",
    "[00:01.00]",
    "00:00:01:",
    "00:00:01:00,00:00:02:00,",
    "<SAMI><SYNC Start=1>",
    "<tt><body><p begin='1s' end='2s'>x</p></body></tt>",
    '{"segments": [{"start": 1, "end": 2, "text": "x"}]}',
    "start\tend\ttext\n1\t2\t",
)

ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\b1}Later{\\b0}, with a comma\\Nand a line
Comment: 0,0:00:00.00,0:00:04.00,Default,,0,0,0,,not shown
Dialogue: 0,0:00:00.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0 100 100{\\p0}
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,Sooner
"""


def parsed(text: str, suffix: str) -> list[Line]:
    return list(parse_subtitles(text, suffix))


def test_markup_is_removed_and_words_are_kept() -> None:
    assert parsed(SRT, ".srt") == [
        Line(1.0, 2.5, "Mind the gap & more"),
        Line(3.0, 4.0, "1 < 2, and 3 > 2 <3"),
    ]


def test_rolling_captions_give_each_line_once() -> None:
    """A line that is repeated after a pause is a new one."""
    assert parsed(ROLLING, ".vtt") == [
        Line(0.16, 2.399, "good evening everyone"),
        Line(2.399, 4.56, "the train is late"),
        Line(9.0, 10.0, "the train is late"),
    ]


def test_ass_is_sorted_by_time_and_drawings_are_skipped() -> None:
    assert parsed(ASS, ".ass") == [
        Line(1.0, 2.0, "Sooner"),
        Line(3.0, 4.0, "Later, with a comma and a line"),
    ]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20, unique=True), st.randoms())
def test_times_in_any_order_are_sorted_and_kept(starts_ms: list[int], random: random.Random) -> None:
    """Lines that do not touch are unchanged and sorted by time."""
    written = [Line(start / 1000, start / 1000 + 0.0005, f"line {start}") for start in starts_ms]
    random.shuffle(written)
    text = "\n\n".join(f"{_stamp(line)}\n{line.text}" for line in written)
    read = parsed(text, ".srt")
    assert [line.text for line in read] == [f"line {start}" for start in sorted(starts_ms)]
    assert [line.start_seconds for line in read] == [start / 1000 for start in sorted(starts_ms)]


def _stamp(line: Line) -> str:
    ms = round(line.start_seconds * 1000)
    at = f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"
    return f"{at} --> {at}"


def test_an_end_before_the_start_gives_duration_zero() -> None:
    assert parsed("00:00:05,000 --> 00:00:01,000\nhuh", ".srt") == [Line(5.0, 5.0, "huh")]


@pytest.mark.parametrize("form", [".srt", ".vtt", ".ass", ".ssa"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "no subtitles at all",
        "-->" * 10,
        "00:00:01,000 --> nonsense",
        "[Events]\nDialogue: 1,2",
        "[Events]\nFormat: Text\nDialogue: x",
        "[Events]\nDialogue: 0,soon,later,,,,,,,no times",
        "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nDialogue: a,b,c",
    ],
)
def test_files_without_subtitles_are_refused(text: str, form: str) -> None:
    with pytest.raises(MediaError):
        parsed(text, form)


@pytest.mark.parametrize(
    "text",
    [
        "00:00:01,000 --> 00:00:02,000\n" + "\n" * 2_000_000 + "x",
        "00:00:01,000 --> 00:00:02,000\n" + ("<a" * 9000 + "\n") * 100,
        "00:00:01,000 --> 00:00:02,000\n" + "{\\" * 5000,
        "00:00:01,000 --> 00:00:02,000\n" + "0 " * 2_000_000,
        "00:00:01,000 --> 00:00:02,000\n" + "\n  \n 1" * 200_000,
    ],
    ids=["blank lines", "open tags", "open braces", "a long line", "numbers"],
)
@pytest.mark.timeout(20)
def test_hostile_text_takes_linear_time(text: str) -> None:
    """No regular expression backtracks quadratically."""
    for form in (".srt", ".vtt"):
        try:
            lines = parsed(text, form)
        except MediaError:
            continue
        assert len(lines) <= 1


def test_too_many_cues_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_CUES == 100_000
    monkeypatch.setattr("pesearch.media.subtitles.MAX_CUES", 1000)
    block = "00:00:01,000 --> 00:00:02,000\nx\n\n"
    assert len(parsed(block * 1000, ".srt")) == 1
    with pytest.raises(MediaError, match="more than 1,000 subtitles"):
        parsed(block * 1001, ".srt")


@given(st.text(), st.sampled_from(BEGINNINGS))
def test_any_text_gives_clean_lines_or_an_error(text: str, beginning: str) -> None:
    for form in (*TEXT_SUFFIXES, ".txt"):
        try:
            lines = parsed(beginning + text, form)
        except MediaError:
            continue
        assert all(line.text == " ".join(line.text.split()) != "" for line in lines)
        assert all(line.end_seconds >= line.start_seconds for line in lines)


def test_markup_is_not_kept_while_the_lines_are_read() -> None:
    """A typeset file has ten times as much markup as text."""

    class Markup(str):
        """Text that can be watched."""

    in_memory: WeakSet[Markup] = WeakSet()
    most = 0

    def entries() -> Iterator[Entry]:
        nonlocal most
        for second in range(50):
            markup = Markup(rf"{{\b1}}line {second}")
            in_memory.add(markup)
            most = max(most, len(in_memory))
            yield float(second), second + 0.5, markup
            del markup

    assert [line.text for line in lines_of(entries(), is_ass=True)] == [f"line {second}" for second in range(50)]
    assert most <= 2


def test_texts_of_several_lines_are_in_memory_once() -> None:
    entries = ((second, second + 1, f"{second:05}\n" + "word" * 500) for second in range(2000))
    tracemalloc.start()
    try:
        lines = list(lines_of(entries))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    text_bytes = sum(len(line.text) for line in lines)
    assert text_bytes == 2000 * (5 + 1 + 2000)
    assert peak_bytes < 1.5 * text_bytes
