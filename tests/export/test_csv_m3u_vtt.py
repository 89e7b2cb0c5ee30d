"""Tables, playlists and chapters, read back."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection
from pesearch.export.csv_m3u_vtt import CSV_COLUMNS, by_file
from pesearch.export.formats import Form, exported, form_of
from pesearch.export.json_io import choices_from
from pesearch.export.safe_names import REEL_CHARACTERS, one_line, reels, safe_stem
from tests.export.hostile import CHOICES, PATHS, TEXTS, film, sound, still


def path_of(url: str) -> Path:
    """The path in a file URL, which is ASCII on one line."""
    assert re.fullmatch(r"file:///[!-~]+", url)
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(url).path)))


@given(CHOICES)
def test_csv(chosen: list[Selection]) -> None:
    text = exported(chosen, Form.CSV).decode("utf-8", "surrogateescape")
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert header == list(CSV_COLUMNS)
    for row, each in zip(rows, chosen, strict=True):
        assert len(row) == len(header)
        assert (row[0], row[1]) == (each.label, str(each.path))
        assert (float(row[2]), float(row[3])) == pytest.approx((each.start_seconds, each.end_seconds), abs=0.001)


@given(CHOICES)
def test_json_can_be_exported_again(chosen: list[Selection]) -> None:
    document = exported(chosen, Form.JSON)
    again = choices_from(document.decode())
    assert exported(again, Form.JSON) == document
    for each, before in zip(again, chosen, strict=True):
        assert (each.path, each.label, each.score) == (before.path, before.label, before.score)
        assert (each.is_still, each.has_pictures, each.has_sound) == (
            before.is_still, before.has_pictures, before.has_sound,
        )  # fmt: skip


@given(CHOICES)
def test_m3u(chosen: list[Selection]) -> None:
    """Each entry: its length and title, where to begin and end, and one line that is the file."""
    head, title, *lines = exported(chosen, Form.M3U).decode().removesuffix("\n").split("\n")
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
    assert [path_of(each[-1]) for each in found] == [each.path for each in chosen]
    for (lasts, _, start, end, _), each in zip(found, chosen, strict=True):
        begins, ends = each.stretch_seconds
        assert ends - begins <= int(lasts) < ends - begins + 1
        if not each.is_still:
            assert (float(start), float(end)) == pytest.approx((begins, ends), abs=0.001)


STAMP = r"(\d{2,}):([0-5]\d):([0-5]\d\.\d{3})"


@given(CHOICES)
def test_vtt_of_each_file(chosen: list[Selection]) -> None:
    """Every block a number, times in order, and one line of text without markup."""
    for part in by_file(chosen):
        head, *blocks = exported(part, Form.VTT).decode().removesuffix("\n").split("\n\n")
        assert head == "WEBVTT"
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
        assert starts == pytest.approx(sorted(each.stretch_seconds[0] for each in part), abs=0.001)


def test_chapters_are_of_one_file() -> None:
    with pytest.raises(ExportError, match="of 2 files"):
        exported([film(0, 1), sound(0, 1)], Form.VTT)
    with pytest.raises(ExportError, match="pictures"):
        exported([still()], Form.VTT)
    assert exported([film(3, 4), still(), film(1.5, 3725.25, seconds=4000)], Form.VTT).decode() == (
        "WEBVTT\n\n1\n00:00:01.500 --> 01:02:05.250\nsiren\n\n2\n00:00:03.000 --> 00:00:04.000\nsiren\n"
    )


@pytest.mark.parametrize("form", list(Form))
def test_nothing_to_export(form: Form) -> None:
    with pytest.raises(ExportError, match="nothing"):
        exported([], form)


def test_what_query_prints_is_read(tmp_path: Path) -> None:
    moment = {"rank": 1, "path": "/a.mp4", "start": 1, "end": 2.5, "score": 0.5, "evidence": [], "cues": []}
    whole = json.dumps({"query": "siren", "model": "m", "library": "/l", "moments": [moment, moment]}, indent=2)
    lines = "\n".join(json.dumps({**moment, "rank": rank}) for rank in (1, 2))
    assert [each.label for each in choices_from(whole)] == ["siren", "siren"]
    assert choices_from(lines) == choices_from(json.dumps([moment, moment])) == [
        Selection(Path("/a.mp4"), 1.0, 2.5, "", 0.5)
    ] * 2  # fmt: skip
    assert choices_from(" \n") == []


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
def test_what_is_no_moment_is_told(text: str) -> None:
    with pytest.raises(ExportError):
        choices_from(text)


@given(st.text() | st.recursive(st.none() | st.floats() | TEXTS, st.lists).map(json.dumps))
def test_no_text_is_too_strange(text: str) -> None:
    with contextlib.suppress(ExportError):
        choices_from(text)


@given(st.lists(PATHS, max_size=30))
def test_reels_are_short_and_each_its_own(paths: list[Path]) -> None:
    names = reels(paths)
    assert set(names) == set(paths)
    assert len(set(names.values())) == len(names)
    assert all(re.fullmatch(rf"[A-Z0-9]{{1,{REEL_CHARACTERS}}}", name) for name in names.values())
    assert not {"AX", "BL"} & set(names.values())


def test_files_that_begin_alike_have_reels_of_their_own() -> None:
    names = [f"/m/holiday_{number}.mp4" for number in range(12)]
    assert list(reels(map(Path, names)).values())[:3] == ["HOLIDAY0", "HOLIDAY1", "HOLIDAY2"]
    alike = [f"/m/{number}/my film.mp4" for number in range(11)]
    assert list(reels(map(Path, alike)).values())[::5] == ["MYFILM", "MYFILM6", "MYFILM11"]


@given(TEXTS)
def test_one_line_is_valid_and_stays_as_it_is(text: str) -> None:
    line = one_line(text)
    assert line.encode().decode() == line
    assert len(line.splitlines()) <= 1
    assert one_line(line) == line


@given(PATHS)
def test_a_stem_is_safe_everywhere(path: Path) -> None:
    stem = safe_stem(path)
    assert stem == Path(stem).name
    assert not set(stem) & set('\\/:*?"<>|\n\r\t')
    assert 0 < len(os.fsencode(stem)) <= 160


def test_names_of_people_stay() -> None:
    assert one_line("日本語 👩\u200d🚀 می\u200cخواهم") == "日本語 👩\u200d🚀 می\u200cخواهم"


def test_forms_by_ending() -> None:
    assert form_of(Path("a.EDL")) is Form.EDL
    assert form_of(Path("a.m3u8")) is Form.M3U
    assert form_of(Path("a.mp4")) is None
