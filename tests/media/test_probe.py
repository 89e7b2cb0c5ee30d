"""Probing of good and damaged files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.errors import MediaError
from pesearch.media import file_head
from pesearch.media.probe import inspect, probe
from pesearch.types import AudioStream, MediaKind, VideoStream
from tests.media.samples import SECONDS, ffmpeg

Sample = Callable[[str], Path]


@pytest.mark.parametrize(
    ("name", "video_codec", "audio_codec"),
    [
        ("both.mp4", "h264", "aac"),
        ("no_suffix", "h264", "aac"),
        ("offset.mkv", "h264", "aac"),
        ("offset.ts", "h264", "aac"),
        ("vp9.webm", "vp9", "opus"),
        ("hevc.mp4", "hevc", None),
        ("mpeg4.avi", "mpeg4", "mp3"),
        ("silent.mp4", "h264", None),
        ("animated.gif", "gif", None),
    ],
)
def test_streams_and_duration_of_video(sample: Sample, name: str, video_codec: str, audio_codec: str | None) -> None:
    info = probe(sample(name))
    assert info.kind is MediaKind.VIDEO
    assert info.duration_seconds == pytest.approx(SECONDS, abs=0.1)
    rate = 10.0 if name == "animated.gif" else 25.0
    assert info.video == VideoStream(video_codec, 64, 48, rate)
    assert (info.audio.codec if info.audio else None) == audio_codec


@pytest.mark.parametrize("name", ["tone.wav", "tone.mp3", "tone.flac", "tone.ogg", "tone.m4a", "tone.aac"])
def test_streams_and_duration_of_audio(sample: Sample, name: str) -> None:
    info = probe(sample(name))
    assert (info.kind, info.video) == (MediaKind.AUDIO, None)
    assert info.duration_seconds == pytest.approx(SECONDS, abs=0.15)
    assert info.audio is not None
    assert (info.audio.sample_rate, info.audio.channels) == (44_100, 1)


def test_a_probed_file_is_not_opened_again(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """The readers of frames and sound ask again: on a network share each open takes a round trip."""
    container = inspect(sample("both.mp4"))
    monkeypatch.setattr(file_head, "open_without_waiting", _refuse)
    assert inspect(sample("both.mp4")) is container


def test_stereo_audio(sample: Sample) -> None:
    assert probe(sample("stereo.wav")).audio == AudioStream("pcm_s16le", 44_100, 2)


@pytest.mark.parametrize("name", ["cover.mp3", "cover.m4a"])
def test_cover_art_is_not_video(sample: Sample, name: str) -> None:
    info = probe(sample(name))
    assert (info.kind, info.video) == (MediaKind.AUDIO, None)


def test_rotated_video_is_upright(sample: Sample) -> None:
    video = probe(sample("rotated.mp4")).video
    assert video is not None
    assert (video.width, video.height) == (48, 64)


def test_origin_of_the_clock(sample: Sample) -> None:
    assert inspect(sample("both.mp4")).origin_seconds == pytest.approx(0.0, abs=0.05)
    assert inspect(sample("offset.ts")).origin_seconds == pytest.approx(1.4, abs=0.1)
    late = inspect(sample("late_clock.ts"))
    assert late.origin_seconds == pytest.approx(1001.4, abs=0.1)
    assert late.info.duration_seconds == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize("name", ["half.mp4", "half.mkv", "half.wav"])
def test_the_duration_of_truncated_files_is_measured(sample: Sample, name: str) -> None:
    assert 0.3 * SECONDS < probe(sample(name)).duration_seconds < 0.7 * SECONDS


@pytest.mark.parametrize("name", ["both.mp4", "offset.mkv", "late_clock.ts", "half.mp4", "half.mkv", "tone.aac"])
def test_large_files_are_measured_from_their_last_seconds(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    measured = probe(sample(name)).duration_seconds
    monkeypatch.setattr("pesearch.media.probe._SMALL_FILE_BYTES", 0)
    copy = shutil.copy(sample(name), tmp_path / "large")  # another path: probes are cached
    assert probe(copy).duration_seconds == pytest.approx(measured, abs=0.03)


def test_reasons_of_unreadable_files(sample: Sample, tmp_path: Path) -> None:
    words, empty, noise = tmp_path / "words.mp4", tmp_path / "empty.mp4", tmp_path / "noise.mkv"
    words.write_text("These are words, not pictures.\n" * 100)
    empty.touch()
    noise.write_bytes(b"\x1aE\xdf\xa3" + bytes(range(256)) * 40)
    reasons = {
        words: "not a media file: it is text",
        empty: "empty file (0 bytes)",
        sample(
            "no_moov.mp4"
        ): "cut short: its index (moov) is missing; download it again, or repair the recording with untrunc",
        noise: "damaged: FFmpeg cannot open it",
        tmp_path / "gone.mp4": "no such file",
    }
    for path, reason in reasons.items():
        with pytest.raises(MediaError) as caught:
            probe(path)
        assert str(caught.value) == reason


@pytest.mark.parametrize(("tag", "codec"), [(b"aprn", "ProRes RAW"), (b"brxq", "Blackmagic RAW"), (b"vvc1", "VVC")])
def test_pictures_without_a_decoder_are_a_remark(sample: Sample, tmp_path: Path, tag: bytes, codec: str) -> None:
    path = tmp_path / "camera.mov"
    path.write_bytes(sample("both.mp4").read_bytes().replace(b"avc1", tag))
    container = inspect(path)
    assert container.info.kind is MediaKind.AUDIO
    (remark,) = container.remarks
    assert remark.reason.startswith("its pictures cannot be read: FFmpeg has no decoder for " + codec)
    path.write_bytes(sample("silent.mp4").read_bytes().replace(b"avc1", tag))
    with pytest.raises(MediaError, match=f"{codec}; convert it to H.264"):
        probe(path)


def test_encrypted_sound_is_said_to_be(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "sold.m4a"
    path.write_bytes(sample("tone.m4a").read_bytes().replace(b"mp4a", b"drms"))
    with pytest.raises(MediaError, match="encrypted"):
        probe(path)


def test_frames_of_12k_cameras_are_read(tmp_path: Path) -> None:
    path = tmp_path / "12k.avi"
    ffmpeg("-f", "lavfi", "-i", "color=s=64x48:d=0.2", "-c:v", "rawvideo", "-pix_fmt", "bgr24", path)
    content = bytearray(path.read_bytes())
    at = content.find(b"strf") + 12
    content[at : at + 8] = (12_288).to_bytes(4, "little") + (6480).to_bytes(4, "little")
    path.write_bytes(content)
    video = probe(path).video
    assert video is not None
    assert (video.width, video.height) == (12_288, 6480)


_ADVICE = "if a player opens it, convert it to MP4 or WAV"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("list.mp4", b"#EXTM3U\nfile.ts\n", "a playlist, never followed: index the files it names"),
        ("files.mkv", b"PK\x03\x04" + bytes(99), "an archive: unpack it"),
        ("logo.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "a drawing: export it as PNG"),
        ("logo.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a drawing: export it as PNG"),
        ("scan.tif", b"%PDF-1.7\n", "a document: export its pictures, or its pages as PNG"),
        ("run.mp3", b"\x7fELF" + bytes(99), "not a media file: it is a program"),
        ("raw.yuv", b"\x80\x01" * 99, "samples without a header, of unknown size and rate: convert it with FFmpeg"),
        ("odd.mp4", b"\x80\x01" * 99, f"not a media file: its format is unknown; {_ADVICE}"),
    ],
)  # fmt: skip
def test_every_refusal_says_what_to_do(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MediaError) as caught:
        probe(path)
    assert str(caught.value) == reason


def test_huge_frame_sizes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.avi"
    ffmpeg("-f", "lavfi", "-i", "color=s=64x48:d=0.2", "-c:v", "rawvideo", "-pix_fmt", "bgr24", path)
    content = bytearray(path.read_bytes())
    at = content.find(b"strf") + 12  # width and height of the picture
    content[at : at + 8] = (15_000).to_bytes(4, "little") * 2
    path.write_bytes(content)
    with pytest.raises(MediaError, match="15000x15000"):
        probe(path)


def test_an_absurd_duration_is_damage(sample: Sample, tmp_path: Path) -> None:
    content = bytearray(sample("moov_last.mp4").read_bytes())
    for box, at in ((b"mvhd", 16), (b"mdhd", 16)):  # time scale 1: a second for each tick
        place = content.find(box)
        while place != -1:
            content[place + at : place + at + 4] = (1).to_bytes(4, "big")
            place = content.find(box, place + 4)
    path = tmp_path / "wild.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match="hours"):
        probe(path)


@pytest.mark.parametrize("name", [b"-i.mp4", b"http:.mp4", b"a\nb c.mp4", b"%03d.mp4", b"\xff\xfe", "äß🎬".encode()])
def test_names_that_look_like_options_urls_or_patterns(sample: Sample, tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    shutil.copy(sample("both.mp4"), path)
    assert probe(path).duration_seconds == pytest.approx(SECONDS, abs=0.1)


def test_a_changed_file_is_probed_again(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "changing"
    shutil.copy(sample("both.mp4"), path)
    assert probe(path).kind is MediaKind.VIDEO
    shutil.copy(sample("tone.wav"), path)
    assert probe(path).kind is MediaKind.AUDIO


def _refuse(path: str, flags: int) -> int:
    raise OSError(f"{path} is opened")
