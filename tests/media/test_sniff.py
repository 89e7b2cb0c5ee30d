"""Format detection by content."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pesearch.errors import MediaError
from pesearch.media.sniff import sniff
from pesearch.media.suffixes import has_media_name
from pesearch.types import MediaKind

Sample = Callable[[str], Path]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("both.mp4", MediaKind.VIDEO),
        ("no_suffix", MediaKind.VIDEO),
        ("offset.mkv", MediaKind.VIDEO),
        ("offset.ts", MediaKind.VIDEO),
        ("mpeg4.avi", MediaKind.VIDEO),
        ("animated.gif", MediaKind.VIDEO),
        ("tone.wav", MediaKind.AUDIO),
        ("cover.mp3", MediaKind.AUDIO),
        ("tone.mp3", MediaKind.AUDIO),
        ("tone.flac", MediaKind.AUDIO),
        ("tone.ogg", MediaKind.AUDIO),
        ("tone.opus", MediaKind.AUDIO),
        ("tone.aac", MediaKind.AUDIO),
        ("tone.m4a", MediaKind.AUDIO),
        ("cover.png", MediaKind.IMAGE),
    ],
)
def test_content_decides_and_not_the_name(sample: Sample, tmp_path: Path, name: str, kind: MediaKind) -> None:
    disguised = tmp_path / "notes.txt"
    disguised.write_bytes(sample(name).read_bytes())
    assert sniff(disguised) is kind


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tiff", "gif", "avif"])
def test_image_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "picture"
    Image.new("RGB", (8, 8), "red").save(path, {"jpg": "JPEG"}.get(suffix, suffix.upper()))
    assert sniff(path) is MediaKind.IMAGE


_OTHER = (
    b"Just a few words.\n" * 50,
    b"%PDF-1.7\n",
    b"PK\x03\x04" + bytes(60),
    b"#EXTM3U\nhttp://example.org/a.ts\n",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"\x7fELF" + bytes(60),
    b"1\n00:00:01,000 --> 00:00:02,000\nhi\n",
)


@pytest.mark.parametrize("content", _OTHER)
def test_other_formats_are_not_media(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    assert sniff(path) is None


def test_mp3_without_an_id3_tag(sample: Sample, tmp_path: Path) -> None:
    whole = sample("tone.mp3").read_bytes()
    path = tmp_path / "bare"
    path.write_bytes(whole[10 + int.from_bytes(bytes(whole[6:10]), "big") :])
    assert sniff(path) is MediaKind.AUDIO


def test_empty_files_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    for path, reason in ((empty, "empty"), (tmp_path / "gone.mp4", "no such file"), (tmp_path, "not a regular file")):
        with pytest.raises(MediaError, match=reason):
            sniff(path)


def test_a_fifo_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "pipe.mp4"
    os.mkfifo(path)
    with pytest.raises(MediaError, match="not a regular file"):
        sniff(path)


def test_suffixes_of_media_files() -> None:
    assert all(has_media_name(Path(name)) for name in ("a.mp4", "B.MKV", "c.Jpg", "d.flac"))
    assert not any(has_media_name(Path(name)) for name in ("a.txt", "b", "main.ts", ".mp4.part", "x.", "y.mp"))


@given(st.binary(min_size=1, max_size=600))
def test_any_bytes_have_a_kind_or_none(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    try:
        assert sniff(path) in (None, *MediaKind)
    except MediaError as error:
        assert str(error).startswith("damaged")  # a GIF in name only
