"""CSV, JSON, M3U and WebVTT documents, read back."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
from dataclasses import fields, replace
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.cues import EXPORTED_CHAPTERS
from pesearch.errors import ExportError, MediaError
from pesearch.export.clip_selection import Selection
from pesearch.export.csv_m3u_vtt import CSV_COLUMNS, group_by_file
from pesearch.export.formats import ExportFormat, format_of, render_document
from pesearch.export.json_io import EventObject, MediaObject, SelectionObject, parse_selections, selection_object
from pesearch.export.safe_names import MAX_REEL_CHARACTERS, one_line, reel_names, safe_stem
from pesearch.media.subtitles import parse_subtitles
from pesearch.search.serialize import event_object, media_object
from pesearch.types import Event
from tests.export.hostile import PATHS, SELECTIONS, TEXTS, film, sound, still


def path_of(url: str) -> Path:
    """The path in a file URL, which is ASCII on one line."""
    assert re.fullmatch(r"file:///[!-~]+", url)
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(url).path)))


@settings(max_examples=25)  # of up to four selections each
@given(SELECTIONS)
def test_csv_round_trip(selections: list[Selection]) -> None:
    text = render_document(selections, ExportFormat.CSV).decode("utf-8", "surrogateescape")
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert header == list(CSV_COLUMNS)
    for row, selection in zip(rows, selections, strict=True):
        assert len(row) == len(header)
        assert (row[0], row[1]) == (selection.label, str(selection.path))
        times = (selection.start_seconds, selection.end_seconds)
        assert (float(row[2]), float(row[3])) == pytest.approx(times, abs=0.001)


@settings(max_examples=25)  # of up to four selections each
@given(SELECTIONS)
def test_json_round_trip(selections: list[Selection]) -> None:
    document = render_document(selections, ExportFormat.JSON)
    again = parse_selections(document.decode())
    assert render_document(again, ExportFormat.JSON) == document
    for selection, before in zip(again, selections, strict=True):
        assert (selection.path, selection.label, selection.score) == (before.path, before.label, before.score)
        assert (selection.is_still, selection.has_pictures, selection.has_sound) == (
            before.is_still, before.has_pictures, before.has_sound,
        )  # fmt: skip


@settings(max_examples=25)  # of up to four selections each
@given(SELECTIONS)
def test_m3u_round_trip(selections: list[Selection]) -> None:
    """Each entry is #EXTINF with duration and title, VLC options for start and stop, and the file URL."""
    head, title, *lines = render_document(selections, ExportFormat.M3U).decode().removesuffix("\n").split("\n")
    assert head == "#EXTM3U"
    assert title.startswith("#PLAYLIST:")
    entries = "\n".join(lines)
    number = r"\d+\.\d{3}"
    entry = (
        r"#EXTINF:(\d+),([^\n]+)\n"
        rf"(?:#EXTVLCOPT:start-time=({number})\n#EXTVLCOPT:stop-time=({number})|#EXTVLCOPT:image-duration=5)\n(file:\S+)"
    )
    assert re.fullmatch(rf"{entry}(\n{entry})*", entries)
    found = re.findall(entry, entries)
    assert [path_of(groups[-1]) for groups in found] == [selection.path for selection in selections]
    for (duration, _, start, end, _), selection in zip(found, selections, strict=True):
        first, last = selection.interval_seconds
        assert last - first <= int(duration) < last - first + 1
        if not selection.is_still:
            assert (float(start), float(end)) == pytest.approx((first, last), abs=0.001)


STAMP = r"(\d{2,}):([0-5]\d):([0-5]\d\.\d{3})"


@settings(max_examples=25)  # of up to four selections each
@given(SELECTIONS)
def test_vtt_round_trip_per_file(selections: list[Selection]) -> None:
    """Each block is a number, ascending times and one line of text without markup."""
    for part in group_by_file(selections):
        head, note, *blocks = render_document(part, ExportFormat.VTT).decode().removesuffix("\n").split("\n\n")
        assert (head, note) == ("WEBVTT", f"NOTE {EXPORTED_CHAPTERS}")
        assert len(blocks) == len(part)
        starts = []
        for number, block in enumerate(blocks, 1):
            cue = re.fullmatch(rf"{number}\n{STAMP} --> {STAMP}\n([^\n\r<>]+)", block)
            assert cue
            assert not re.search(r"&(?!amp;|lt;|gt;)", cue[7])
            start, end = (int(cue[at]) * 3600 + int(cue[at + 1]) * 60 + float(cue[at + 2]) for at in (1, 4))
            assert start < end
            starts.append(start)
        assert starts == sorted(starts)
        assert starts == pytest.approx(sorted(selection.interval_seconds[0] for selection in part), abs=0.001)


def test_vtt_needs_one_file_with_a_duration() -> None:
    with pytest.raises(ExportError, match="from 2 files"):
        render_document([film(0, 1), sound(0, 1)], ExportFormat.VTT)
    with pytest.raises(ExportError, match="still images"):
        render_document([still()], ExportFormat.VTT)
    assert render_document([film(3, 4), still(), film(1.5, 3725.25, seconds=4000)], ExportFormat.VTT).decode() == (
        f"WEBVTT\n\nNOTE {EXPORTED_CHAPTERS}\n\n"
        "1\n00:00:01.500 --> 01:02:05.250\nsiren\n\n2\n00:00:03.000 --> 00:00:04.000\nsiren\n"
    )


def test_exported_chapters_are_no_subtitles() -> None:
    """Next to their film they would become what is said in it."""
    chapters = render_document([film(1, 2)], ExportFormat.VTT).decode()
    with pytest.raises(MediaError, match="not subtitles"):
        parse_subtitles(chapters, ".vtt")
    assert list(parse_subtitles(chapters.replace(EXPORTED_CHAPTERS, ""), ".vtt"))


@pytest.mark.parametrize("export_format", list(ExportFormat))
def test_an_empty_selection_is_an_error(export_format: ExportFormat) -> None:
    with pytest.raises(ExportError, match="nothing"):
        render_document([], export_format)


def test_query_json_and_jsonl_are_parsed(tmp_path: Path) -> None:
    moment = {"rank": 1, "path": "/a.mp4", "start": 1, "end": 2.5, "score": 0.5, "evidence": [], "cues": []}
    whole = json.dumps({"query": "siren", "model": "m", "library": "/l", "moments": [moment, moment]}, indent=2)
    lines = "\n".join(json.dumps({**moment, "rank": rank}) for rank in (1, 2))
    with_query = [{"query": "siren", **moment}, {"query": "bell", **moment, "label": "own"}]
    for text in ("\n".join(map(json.dumps, with_query)), json.dumps(with_query)):
        assert [selection.label for selection in parse_selections(text)] == ["siren", "own"]
    assert [selection.label for selection in parse_selections(whole)] == ["siren", "siren"]
    assert parse_selections(lines) == parse_selections(json.dumps([moment, moment])) == [
        Selection(Path("/a.mp4"), 1.0, 2.5, "", 0.5)
    ] * 2  # fmt: skip
    assert parse_selections(" \n") == []


def test_a_moment_that_ends_before_its_start_has_no_duration() -> None:
    (selection,) = parse_selections('[{"path": "/a.mp4", "start": 5.0, "end": 2.0}]')
    assert (selection.start_seconds, selection.end_seconds) == (5.0, 5.0)
    assert selection.interval_seconds == (5.0, 5.001)
    assert ",/a.mp4,5.000,5.000," in render_document([selection], ExportFormat.CSV).decode()


def test_encoder_and_decoder_share_their_field_names() -> None:
    """One shape: exported JSON is what the decoder reads, and its events and media are those of `pesearch query`."""
    selection = replace(film(1.0, 2.0), events=(Event("bell", 1.0, 2.0, 0.5),))
    written = selection_object(selection)
    assert [*written, "query"] == [field.name for field in fields(SelectionObject)]  # the query is that of JSONL
    assert selection.media
    for encoded, decoder in (
        (written["events"][0], EventObject),
        (event_object(selection.events[0]), EventObject),
        (written["media"], MediaObject),
        (media_object(selection.media), MediaObject),
    ):
        assert list(encoded) == [field.name for field in fields(decoder)]


@pytest.mark.parametrize(
    "text",
    [
        "siren",
        "{",
        '{"moments": 5}',
        '{"moments": [{"path": "/a", "start": 0}]}',
        '[{"path": "", "start": 0, "end": 1}]',
        '[{"path": "a\\u0000b", "start": 0, "end": 1}]',
        '[{"path": "/a", "start": -1, "end": 1}]',
        '[{"path": "/a", "start": "0", "end": 1}]',
        '[{"path": "/a", "start": NaN, "end": 1}]',
        '[{"path": "/a", "start": 0, "end": 1e999}]',
        '[{"path": "/a", "start": 0, "end": 1' + "0" * 400 + "}]",
        '[{"path": "/a", "start": 0, "end": 1' + "0" * 5000 + "}]",
        '[{"path": "/a", "start": 0, "end": 1, "media": {"kind": "smell", "duration": 1}}]',
        "[" * 100_000,
        "5",
        "null",
    ],
)
def test_malformed_moments_are_rejected(text: str) -> None:
    with pytest.raises(ExportError):
        parse_selections(text)


@given(st.text() | st.recursive(st.none() | st.floats() | TEXTS, st.lists).map(json.dumps))
def test_parsing_any_text_raises_only_export_errors(text: str) -> None:
    with contextlib.suppress(ExportError):
        parse_selections(text)


@given(st.lists(PATHS, max_size=30))
def test_reel_names_are_short_and_unique(paths: list[Path]) -> None:
    names = reel_names(paths)
    assert set(names) == set(paths)
    assert len(set(names.values())) == len(names)
    assert all(re.fullmatch(rf"[A-Z0-9]{{1,{MAX_REEL_CHARACTERS}}}", name) for name in names.values())
    assert not {"AX", "BL"} & set(names.values())


def test_reel_names_of_similar_file_names() -> None:
    names = [f"/m/holiday_{number}.mp4" for number in range(12)]
    assert list(reel_names(map(Path, names)).values())[:3] == ["HOLIDAY0", "HOLIDAY1", "HOLIDAY2"]
    alike = [f"/m/{number}/my film.mp4" for number in range(11)]
    assert list(reel_names(map(Path, alike)).values())[::5] == ["MYFILM", "MYFILM6", "MYFILM11"]


@given(TEXTS)
def test_one_line_is_valid_unicode_and_idempotent(text: str) -> None:
    line = one_line(text)
    assert line.encode().decode() == line
    assert len(line.splitlines()) <= 1
    assert one_line(line) == line


@given(PATHS)
def test_safe_stem_has_no_reserved_characters(path: Path) -> None:
    stem = safe_stem(path)
    assert stem == Path(stem).name
    assert not set(stem) & set('\\/:*?"<>|\n\r\t')
    assert 0 < len(os.fsencode(stem)) <= 160


def test_one_line_keeps_letters_and_joined_emoji() -> None:
    assert one_line("日本語 👩\u200d🚀 می\u200cخواهم") == "日本語 👩\u200d🚀 می\u200cخواهم"


def test_format_by_suffix() -> None:
    assert format_of(Path("a.EDL")) is ExportFormat.EDL
    assert format_of(Path("a.m3u8")) is ExportFormat.M3U
    assert format_of(Path("a.mp4")) is None
