"""Subtitle files other than SubRip, WebVTT and SubStation Alpha, and those that are written badly."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from pesearch.media.cues import CueReadResult, read_sidecar
from pesearch.media.sidecars import Sidecars

TWO = [(1.0, 2.5, "Hello walrus"), (3.0, 4.0, "second")]


def read(folder: Path, name: str, content: str | bytes) -> CueReadResult:
    """The sidecar of that name next to an empty film of 100 s."""
    media = folder / "film.mp4"
    media.touch()
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (sidecar,) = Sidecars().find(media)
    return read_sidecar(sidecar, media, 100.0)


def rows(reading: CueReadResult) -> list[tuple[float, float, str]]:
    """Times, rounded to milliseconds, and texts."""
    assert reading.source is not None
    return [(round(cue.start_seconds, 3), round(cue.end_seconds, 3), cue.text) for cue in reading.source.cues]


SUBVIEWER = (
    "[INFORMATION]\n[TITLE]x\n[SUBTITLE]\n00:00:01.00,00:00:02.50\nHello[br]walrus\n\n00:00:03.00,00:00:04.00\nsecond\n"
)
SAMI = """<SAMI><HEAD><STYLE><!-- P { } --></STYLE></HEAD><BODY>
<SYNC Start=1000><P Class=ENCC>Hello<br>walrus
<SYNC Start=2500><P Class=ENCC>&nbsp;
<SYNC Start=3000><P Class=ENCC>second</P>
<SYNC Start=4000><P Class=ENCC>&nbsp;</BODY></SAMI>"""
TTML = """<?xml version="1.0" encoding="utf-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="25">
<head/><body><div begin="1s"><p begin="00:00:00.000" end="00:00:01.500">Hello<br/>
   <span>walrus</span></p><p begin="50f" dur="1s">second</p></div></body></tt>"""
TTML_SPANS = """<tt xmlns="http://www.w3.org/2006/10/ttaf1"><body><div><p><span
begin="1s" end="2.5s">Hello walrus</span><span begin="00:00:03" end="4000ms">second</span></p></div></body></tt>"""
WHISPER = {
    "text": "x",
    "segments": [{"start": 1.0, "end": 2.5, "text": " Hello walrus"}, {"start": 3, "end": 4, "text": "second"}],
}
CHUNKS = {"chunks": [{"timestamp": [1.0, 2.5], "text": "Hello walrus"}, {"timestamp": [3.0, 4.0], "text": "second"}]}
WHISPER_CPP = {
    "transcription": [
        {"offsets": {"from": 1000, "to": 2500}, "text": " Hello walrus"},
        {"offsets": {"from": 3000, "to": 4000}, "text": "second"},
    ]
}
JSON3 = {
    "events": [
        {"tStartMs": 0, "wpWinPosId": 1},
        {"tStartMs": 1000, "dDurationMs": 1500, "segs": [{"utf8": "Hello "}, {"utf8": "walrus"}]},
        {"tStartMs": 3000, "dDurationMs": 1000, "segs": [{"utf8": "second"}]},
    ]
}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("film.sbv", "0:00:01.000,0:00:02.500\nHello walrus\n\n0:00:03.000,0:00:04.000\nsecond\n"),
        ("film.sub", "{1}{1}20.000\n{20}{50}Hello|{y:i}walrus\n{60}{80}second\n"),
        ("film.sub", SUBVIEWER),
        ("film.mpl", "[10][25]Hello|/walrus\n[30][40]second\n"),
        ("film.txt", "[10][25]Hello|/walrus\n[30][40]second\n"),
        ("film.txt", "1\n00:00:01,000 --> 00:00:02,500\nHello walrus\n\n2\n00:00:03,000 --> 00:00:04,000\nsecond\n"),
        ("film.smi", SAMI),
        ("film.ttml", TTML),
        ("film.dfxp", TTML_SPANS),
        (
            "film.stl",
            "$FontName = Arial\n00:00:01:00 , 00:00:02:12 , Hello ^Iwalrus^I\n00:00:03:00,00:00:04:00,second\n",
        ),
        ("film.json", json.dumps(WHISPER)),
        ("film.json", json.dumps(WHISPER["segments"])),
        ("film.json", json.dumps(CHUNKS)),
        ("film.json", json.dumps(WHISPER_CPP)),
        ("film.json3", json.dumps(JSON3)),
        ("film.tsv", "start\tend\ttext\n1000\t2500\tHello walrus\n3000\t4000\tsecond\n"),
        ("film.srt", "WEBVTT\n\n00:01.000 --> 00:02.500\nHello walrus\n\n00:03.000 --> 00:04.000\nsecond\n"),
    ],
)
def test_formats(tmp_path: Path, name: str, content: str) -> None:
    reading = read(tmp_path, name, content)
    assert rows(reading) == [(start, pytest.approx(end, abs=0.021), text) for start, end, text in TWO]
    assert reading.remark is None


def test_formats_without_ends_last_until_the_next_line(tmp_path: Path) -> None:
    lyrics = "[ti:Song]\n[ar:X]\n[offset:500]\n[00:01.50]Hello\n[00:03.00][00:19.00]<00:03.10>walrus\n"
    assert rows(read(tmp_path, "film.lrc", lyrics)) == [
        (1.0, 2.5, "Hello"),
        (2.5, 7.5, "walrus"),
        (18.5, 23.5, "walrus"),
    ]
    (tmp_path / "film.lrc").unlink()
    tmplayer = "00:00:01:Hello|walrus\n00:00:03:second\n"
    assert rows(read(tmp_path, "film.txt", tmplayer)) == [(1.0, 3.0, "Hello walrus"), (3.0, 8.0, "second")]


def test_microdvd_without_a_rate_has_that_of_the_film_or_the_usual(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "film.sub", "{24}{48}Hello\n{72}{96}walrus\n"))[0] == (1.001, 2.002, "Hello")


def test_closed_captions(tmp_path: Path) -> None:
    shown = "9420 9420 94ae 94ae 9470 9470 c845 4c4c 4f80 942f 942f"
    scc = f"Scenarist_SCC V1.0\n\n00:00:01:00\t{shown}\n\n00:00:04:00\t942c 942c\n"
    assert rows(read(tmp_path, "film.scc", scc)) == [(1.0, 4.0, "HELLO")]


def ebu_stl(*subtitles: tuple[int, int, bytes], table: bytes = b"00") -> bytes:
    """A file of EBU STL whose times begin at 10:00:00."""
    header = bytearray(b" " * 1024)
    header[0:3], header[3:11], header[12:14] = b"850", b"STL25.01", table
    blocks = []
    for number, (start, end, text) in enumerate(subtitles):
        block = bytearray(128)
        block[1:3], block[3] = struct.pack("<H", number), 0xFF
        block[5:9], block[9:13] = bytes([10, 0, start, 0]), bytes([10, 0, end, 0])
        block[16:128] = text.ljust(112, b"\x8f")
        blocks.append(bytes(block))
    return bytes(header) + b"".join(blocks)


def test_ebu_stl(tmp_path: Path) -> None:
    reading = read(
        tmp_path, "film.stl", ebu_stl((1, 2, b"\x0bCaf\xc2e\x8awalrus"), (3, 4, b"gr\xc8o\xfbe \xe8\xc2od\xca"))
    )
    assert rows(reading)[0] == (1.0, 2.0, "Café walrus")
    assert rows(reading)[1][2].startswith("größe Łód")
    assert reading.remark == "timecodes from 10:00:00.0 on: counted from there"
    cyrillic = ebu_stl((1, 2, "Сирена".encode("iso8859-5")), table=b"01")
    assert rows(read(tmp_path, "film.stl", cyrillic)) == [(1.0, 2.0, "Сирена")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("film.json", '{"photoTakenTime": {"timestamp": "1"}, "title": "IMG"}'),
        ("film.json", "[{broken"),
        ("film.tsv", "name\tvalue\n1\t2\n"),
        ("film.stl", "solid cube\nfacet normal 0 0 0\n"),
        ("film.stl", b"\0" * 80 + bytes(range(256)) * 4),
    ],
)
def test_other_files_with_the_same_name_are_passed_over_in_silence(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    reading = read(tmp_path, name, content)
    assert rows(reading) == [] and reading.remark is None


@pytest.mark.parametrize(
    ("name", "content", "remark"),
    [
        ("film.sup", b"PG" + bytes(100), "pictures"),
        ("film.idx", "# VobSub index file, v7\n", "pictures"),
        ("film.sub", b"\0\0\1\xba" + bytes(100), "pictures"),
        ("film.ttml", "<tt><body><p begin='1s'", "XML"),
        (
            "film.ttml",
            '<!DOCTYPE tt [<!ENTITY a "b">]><tt><body><p begin="1s" end="2s">&a;</p></body></tt>',
            "entities",
        ),
        ("film.scc", "Scenarist_SCC V1.0\n\nnothing\n", "no subtitles|cannot"),
        ("film.smi", "<SAMI></SAMI>", "no subtitles"),
    ],
)
def test_what_is_not_read_is_a_remark(tmp_path: Path, name: str, content: str | bytes, remark: str) -> None:
    reading = read(tmp_path, name, content)
    assert rows(reading) == [] and reading.remark is not None
    assert any(part in reading.remark for part in remark.split("|"))


ARROWS = ("-->", "->", "--->", "-- >", "==>", "–>", "—>", "→", "--&gt;", ",")
TIMES = (
    ("00:00:01,000", "00:00:02,500"),
    ("00:00:01.000", "00:00:02.5"),
    ("00:00:01:000", "00:00:02:500"),
    ("00: 00: 01, 000", "00 : 00 : 02 , 500"),
    ("0:00:01.000000", "0:00:02.500000"),
    ("00:01,000", "00:02,500"),
    ("00：00：01，000", "00：00：02，500"),
)


@pytest.mark.parametrize("arrow", ARROWS)
@pytest.mark.parametrize("times", TIMES, ids=lambda times: times[0])
def test_badly_written_times(tmp_path: Path, times: tuple[str, str], arrow: str) -> None:
    start, end = times
    text = f"1\n{start} {arrow} {end}\nHello walrus\n\n2\n00:00:03 {arrow} 00:00:04\nsecond\n"
    assert rows(read(tmp_path, "film.srt", text)) == TWO


SRT = "1\n00:00:01,000 --> 00:00:02,500\nHello walrus\n\n2\n00:00:03,000 --> 00:00:04,000\nsecond\n"


@pytest.mark.parametrize(
    "content",
    [
        SRT.replace("\n", "\r\r\n"),
        SRT.replace("\n", "\r\n"),
        SRT.replace("\n", "\r"),
        SRT.replace("\n", "\n\n"),
        SRT.replace("2\n00", "\ufeff2\n00"),
        SRT.replace("1\n00", "00").replace("2\n00", "00"),
        SRT.replace("1\n00", "1 00").replace("2\n00", "2 00"),
        SRT.replace("500\n", "500  X1:10 X2:20\n"),
        SRT.replace(" --> ", "\t-->\t"),
    ],
    ids=["\\r\\r\\n", "\\r\\n", "\\r", "double", "marks", "no numbers", "numbers before times", "places", "tabs"],
)
def test_badly_written_files(tmp_path: Path, content: str) -> None:
    assert rows(read(tmp_path, "film.srt", content)) == TWO
