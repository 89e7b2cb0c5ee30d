"""Format detection by content."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pesearch.errors import MediaError
from pesearch.media.image import image_size
from pesearch.media.probe import probe
from pesearch.media.sniff import sniff
from pesearch.media.suffixes import has_media_name
from pesearch.types import MediaKind
from tests.media.samples import ffmpeg

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


def test_a_picture_under_the_name_of_a_film_is_a_picture(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(sample("still.jpg").read_bytes())
    assert sniff(path) is MediaKind.IMAGE


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tiff", "gif", "avif"])
def test_image_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "picture"
    Image.new("RGB", (8, 8), "red").save(path, {"jpg": "JPEG"}.get(suffix, suffix.upper()))
    assert sniff(path) is MediaKind.IMAGE


_TAPE = "testsrc2=s=720x576:r=25:d=0.2"


def _headless(name: str, sample: Sample, path: Path) -> None:
    """A file that no first bytes tell, as they come out of a camera, a tuner or a damaged card."""
    match name:
        case "tape.dv":
            ffmpeg("-f", "lavfi", "-i", _TAPE, "-c:v", "dvvideo", "-pix_fmt", "yuv420p", path)
        case "within_a_packet.ts":
            path.write_bytes(sample("offset.ts").read_bytes()[100:])
        case "error_correction.ts":
            whole = sample("offset.ts").read_bytes()
            path.write_bytes(b"".join(whole[at : at + 188] + bytes(16) for at in range(0, len(whole), 188)))
        case "after_zeros.mp3":
            path.write_bytes(bytes(1000) + sample("tone.mp3").read_bytes())
        case "adm.wav":
            samples = sample("tone.wav").read_bytes()[44:]
            sizes = struct.pack("<QQQI", len(samples) + 72, len(samples), len(samples) // 2, 0)
            described = struct.pack("<HHIIHH", 1, 1, 44_100, 88_200, 2, 16)
            chunks = (b"ds64", sizes), (b"fmt ", described), (b"data", samples)
            content = b"".join(kind + struct.pack("<I", len(body)) + body for kind, body in chunks)
            path.write_bytes(b"BW64" + b"\xff" * 4 + b"WAVE" + content)
        case "wave64.w64" | "raw.ac3" | "raw.sox":
            ffmpeg("-i", sample("tone.wav"), path)
        case _:  # a raw stream
            codec = {"h264": "copy", "m4v": "mpeg4", "y4m": "wrapped_avframe", "mjpeg": "mjpeg"}[path.suffix[1:]]
            ffmpeg("-i", sample("both.mp4"), "-an", "-c:v", codec, path)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tape.dv", MediaKind.VIDEO),
        ("within_a_packet.ts", MediaKind.VIDEO),
        ("error_correction.ts", MediaKind.VIDEO),
        ("raw.h264", MediaKind.VIDEO),
        ("raw.m4v", MediaKind.VIDEO),
        ("raw.y4m", MediaKind.VIDEO),
        ("raw.mjpeg", MediaKind.VIDEO),
        ("after_zeros.mp3", MediaKind.AUDIO),
        ("adm.wav", MediaKind.AUDIO),
        ("wave64.w64", MediaKind.AUDIO),
        ("raw.ac3", MediaKind.AUDIO),
        ("raw.sox", MediaKind.AUDIO),
    ],
)
def test_ffmpeg_has_the_last_word_where_the_name_promises_media(
    sample: Sample, tmp_path: Path, name: str, kind: MediaKind
) -> None:
    path = tmp_path / name
    _headless(name, sample, path)
    assert sniff(path) is kind
    info = probe(path)
    assert info.kind is kind
    assert info.duration_seconds == pytest.approx(0.2 if name == "tape.dv" else 4, abs=0.12)


@pytest.mark.parametrize(
    ("raw", "shared", "content"), [("tape.dv", "dif", "a spreadsheet"), ("raw.h264", "avc", "an antivirus")]
)
def test_suffixes_that_media_share_are_looked_into(
    sample: Sample, tmp_path: Path, raw: str, shared: str, content: str
) -> None:
    path, other = tmp_path / f"film.{shared}", tmp_path / f"other.{shared}"
    _headless(raw, sample, tmp_path / raw)
    (tmp_path / raw).rename(path)
    other.write_text(content)
    assert sniff(path) is MediaKind.VIDEO
    assert sniff(other) is None
    assert not has_media_name(other)


@pytest.mark.parametrize("suffix", ["ppm", "pcx", "tga", "sgi", "jp2", "qoi", "dds"])
def test_pillow_has_the_last_word_on_pictures(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture.{suffix}"
    Image.new("RGB", (8, 8), "white").save(path)
    assert sniff(path) is MediaKind.IMAGE
    assert image_size(path)[1:] == (8, 8)


_MEDIA_NAMES = ("a.mp3", "a.mp4", "a.m4v", "a.dts", "a.mjpeg", "a.ts", "a.tga", "a.nef")


@pytest.mark.parametrize("name", _MEDIA_NAMES)
@pytest.mark.parametrize("content", ["noise", "zeros", "text", "program", "archive"])
def test_no_name_makes_media_of_other_files(tmp_path: Path, name: str, content: str) -> None:
    contents = {
        "noise": b"\x8a" + random.Random(1).randbytes(50_000),
        "zeros": bytes(50_000),
        "text": "What is said here, äöü.\n".encode("utf-16") * 100,
        "program": b"\x7fELF" + random.Random(2).randbytes(50_000),
        "archive": gzip.compress(random.Random(3).randbytes(50_000)),
    }
    path = tmp_path / name
    path.write_bytes(contents[content])
    is_promised_raw = name == "a.nef" and content in ("noise", "zeros")  # LibRaw knows more cameras than we do
    assert sniff(path) is (MediaKind.IMAGE if is_promised_raw else None)


@pytest.mark.parametrize("prefix", [b"", b"\0\0", b"\xef\xbb\xbf", b"ID3\x03\0\0\0\0\0\0"])
@pytest.mark.parametrize("name", ["list.mp4", "list.mp3"])
def test_playlists_are_never_followed(sample: Sample, tmp_path: Path, prefix: bytes, name: str) -> None:
    shutil.copy(sample("offset.ts"), tmp_path / "piece.ts")
    lists = (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\npiece.ts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile piece.ts\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    )
    path = tmp_path / name
    for content in lists:
        path.write_bytes(prefix + content)
        with pytest.raises(MediaError):
            probe(path)


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
    for path, reason in ((empty, "empty"), (tmp_path / "gone.mp4", "no such file"), (tmp_path, "a folder")):
        with pytest.raises(MediaError, match=reason):
            sniff(path)


def test_a_fifo_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "pipe.mp4"
    os.mkfifo(path)
    with pytest.raises(MediaError, match="not a regular file"):
        sniff(path)


def test_suffixes_of_media_files() -> None:
    assert all(has_media_name(Path(name)) for name in ("a.mp4", "B.MKV", "c.Jpg", "d.flac"))
    assert all(has_media_name(Path(name)) for name in ("a.w64", "b.JP2", "c.psd", "d.nef", "e.h264", "f.heic"))
    others = ("a.txt", "b", "main.ts", ".mp4.part", "x.", "y.mp", "z.m3u8", "s.srt", "f.ttf", "g.sub")
    assert not any(has_media_name(Path(name)) for name in others)


def test_typescript_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "main.ts"
    path.write_text("export const GGGG = 1;\n" * 100)
    assert sniff(path) is None


def test_windows_texts_are_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text(
        "Hello, these are notes.\n" * 100, encoding="utf-16"
    )  # its mark is that of an MPEG audio frame, too
    assert sniff(path) is None


@given(st.binary(min_size=1, max_size=600))
def test_any_bytes_have_a_kind_or_none(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    try:
        assert sniff(path) in (None, *MediaKind)
    except MediaError as error:
        assert str(error).startswith("damaged")  # a GIF in name only
