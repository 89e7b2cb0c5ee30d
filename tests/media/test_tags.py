"""Titles, artists and comments, wherever a container keeps them and whatever encoding they are in."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.cues import CueKind
from pesearch.media.cues import CueReadResult, read_embedded_cues
from pesearch.media.probe import probe
from tests.media.samples import ffmpeg


def read(path: Path) -> CueReadResult:
    return read_embedded_cues(path, probe(path))


def rows(reading: CueReadResult) -> set[tuple[str, CueKind, str]]:
    assert reading.source is not None
    return {(cue.text, cue.kind, cue.source) for cue in reading.source.cues}


@pytest.mark.parametrize("name", ["a.ogg", "a.opus", "a.oga", "a.spx", "a.mka", "a.mp3", "a.m4a", "a.wav"])
def test_tags_of_every_container(tmp_path: Path, sample: Callable[[str], Path], name: str) -> None:
    """In Ogg they are tags of the stream."""
    path = tmp_path / name
    tags = ["-metadata", "title=Walrus", "-metadata", "artist=Сирена", "-metadata", "comment=by the sea"]
    ffmpeg("-i", sample("tone.wav"), "-t", "1", *tags, path)
    reading = read(path)
    assert reading.remark is None
    assert {(text, kind) for text, kind, _ in rows(reading)} == {
        ("Walrus", CueKind.TITLE),
        ("Сирена", CueKind.DESCRIPTION),
        ("by the sea", CueKind.DESCRIPTION),
    }


def test_the_title_of_a_stream_is_not_that_of_the_film(tmp_path: Path, sample: Callable[[str], Path]) -> None:
    path = tmp_path / "a.mka"
    ffmpeg("-i", sample("tone.wav"), "-metadata", "title=Walrus", "-metadata:s:a:0", "title=Surround", path)
    assert rows(read(path)) == {("Walrus", CueKind.TITLE, "tag title")}


def test_tags_of_quicktime(tmp_path: Path, sample: Callable[[str], Path]) -> None:
    path = tmp_path / "a.mov"
    tags = [
        part
        for tag in ("title=Walrus", "description=By the sea", "make=Apple")
        for part in ("-metadata", f"com.apple.quicktime.{tag}")
    ]
    ffmpeg("-i", sample("tone.wav"), "-c:a", "aac", "-movflags", "use_metadata_tags", *tags, path)
    assert rows(read(path)) == {
        ("Walrus", CueKind.TITLE, "tag title"),
        ("By the sea", CueKind.DESCRIPTION, "tag description"),
    }


def with_id3(sound: bytes, **frames: bytes) -> bytes:
    """An MP3 with ID3v2.3 frames that claim to be in Latin-1."""
    body = b"".join(
        name.encode() + struct.pack(">I", len(text) + 1) + b"\0\0\0" + text for name, text in frames.items()
    )
    size = bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + body + sound


@pytest.mark.parametrize(
    ("title", "artist", "encoding", "remark"),
    [
        ("Сирена в ночи", "Ночной хор", "cp1251", "tags are not UTF-8: read as Windows-1251"),
        ("サイレンの夜", "合唱団", "cp932", "tags are not UTF-8: read as Shift_JIS"),
        ("Größe", "Café", "latin-1", None),
        ("Größe", "Café", "utf-8", None),
    ],
)
def test_tags_of_mp3_in_any_encoding(
    tmp_path: Path, sample: Callable[[str], Path], title: str, artist: str, encoding: str, remark: str | None
) -> None:
    ffmpeg("-i", sample("tone.wav"), "-t", "1", "-id3v2_version", "0", "-map_metadata", "-1", tmp_path / "raw.mp3")
    path = tmp_path / "a.mp3"
    raw = (tmp_path / "raw.mp3").read_bytes()
    path.write_bytes(with_id3(raw, TIT2=title.encode(encoding), TPE1=artist.encode(encoding)))
    reading = read(path)
    assert {text for text, _, _ in rows(reading)} == {title, artist}
    assert reading.remark == remark


@pytest.mark.parametrize(("title", "encoding"), [("Сирена в ночи", "cp1251"), ("Größe", "cp1252"), ("Größe", "utf-8")])
def test_tags_of_wav_in_any_encoding(tmp_path: Path, sample: Callable[[str], Path], title: str, encoding: str) -> None:
    """FFmpeg passes on the bytes of RIFF's INFO chunk."""
    text = title.encode(encoding) + b"\0"
    text += bytes(len(text) % 2)
    info = b"INFOINAM" + struct.pack("<I", len(text)) + text
    content = sample("tone.wav").read_bytes() + b"LIST" + struct.pack("<I", len(info)) + info
    path = tmp_path / "a.wav"
    path.write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])
    assert title in {text for text, _, _ in rows(read(path))}


def test_subtitle_streams_that_are_not_utf_8(tmp_path: Path, sample: Callable[[str], Path]) -> None:
    """As they must be in Matroska: FFmpeg would drop them."""
    text = "1\n00:00:01,000 --> 00:00:02,000\nСирена воет в ночи\n\n2\n00:00:02,000 --> 00:00:03,000\nТы слышишь?\n"
    (tmp_path / "a.srt").write_bytes(text.encode("cp1251"))
    path = tmp_path / "a.mka"
    both = ["-i", sample("tone.wav"), "-i", tmp_path / "a.srt", "-map", "0", "-map", "1", "-c:s", "copy"]
    ffmpeg(*both, "-metadata:s:s:0", "language=rus", path)
    reading = read(path)
    assert {text for text, _, _ in rows(reading)} == {"Сирена воет в ночи", "Ты слышишь?"}
    assert reading.remark == "subtitles of stream 1: not UTF-8: read as Windows-1251"
