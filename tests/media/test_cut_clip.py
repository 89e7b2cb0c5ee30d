"""Clips cut from files: their video and audio, and its timing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pesearch.errors import MediaError
from pesearch.media.audio import read_audio
from pesearch.media.cut_clip import choose_clip_format, cut_clip
from pesearch.media.probe import probe
from pesearch.media.video import read_frames
from pesearch.timeline import FRAMES_PER_SECOND, SAMPLE_RATE
from pesearch.types import MediaKind
from tests.media.samples import ffmpeg, is_tone, step_of

pytestmark = pytest.mark.slow

Times = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Sample = Callable[[str], Path]

START, END = 1.3, 3.2
LENGTH = END - START
FRAME = 0.04
PACKET = 0.027  # of AAC and MP3 at 44.1 kHz: sound ends with a whole one

_VIDEOS = ["both.mp4", "offset.mkv", "offset.ts", "late_clock.ts", "vp9.webm", "mpeg4.avi", "old.mpg", "old.flv"]
_SILENT = ["animated.gif", "rotated.mp4", "hevc.mp4"]
_SOUNDS = ["tone.wav", "tone.mp3", "tone.flac", "tone.ogg", "tone.opus", "tone.m4a", "tone.aac", "cover.mp3"]


def cut(path: Path, folder: Path, reencode: bool) -> Path:
    clip_format = choose_clip_format(path, reencode)
    clip = folder / f"clip{clip_format.suffix}"
    cut_clip(path, START, END, clip, clip_format)
    return clip


def steps(clip: Path, times: Times) -> list[int]:
    """What is seen at each time. Times that are on one frame grid are read one after the other, by one process."""
    grid_order = sorted(times.tolist(), key=lambda at: (round(at * FRAMES_PER_SECOND % 1.0, 6) % 1.0, at))
    seen = {frame.time_seconds: step_of(frame.image) for frame in read_frames(clip, grid_order)}
    return [seen[at] for at in times.tolist()]


def tones(clip: Path, times: Times) -> list[bool]:
    """Whether there is a tone around each time."""
    samples = read_audio(clip, 0.0, 5.0)
    return [is_tone(samples[round((at - 0.03) * SAMPLE_RATE) : round((at + 0.03) * SAMPLE_RATE)]) for at in times]


@pytest.mark.parametrize("name", [*_VIDEOS, *_SILENT])
def test_a_reencoded_video_is_exact_to_a_frame(sample: Sample, tmp_path: Path, name: str) -> None:
    clip = cut(sample(name), tmp_path, reencode=True)
    info = probe(clip)
    assert info.video and info.video.codec == "h264"
    assert clip.suffix == ".mp4"
    assert info.duration_seconds == pytest.approx(LENGTH, abs=FRAME + 0.001)
    times = np.array([0.02, 0.15, 0.3, 0.6, 0.85, 1.1, 1.35, 1.6, 1.8])
    assert steps(clip, times) == [int((START + seconds) * 2) for seconds in times]
    if name in _VIDEOS:
        assert info.audio and info.audio.codec == "aac"
        assert tones(clip, times[1:-1]) == [(START + at) % 1 > 0.5 for at in times[1:-1]]


@pytest.mark.parametrize("name", _SOUNDS)
def test_reencoded_audio_is_lossless_and_exact(sample: Sample, tmp_path: Path, name: str) -> None:
    clip = cut(sample(name), tmp_path, reencode=True)
    info = probe(clip)
    assert (clip.suffix, info.kind, info.video) == (".flac", MediaKind.AUDIO, None)
    assert info.duration_seconds == pytest.approx(LENGTH, abs=0.001)
    times = np.array([0.1, 0.4, 0.6, 0.9, 1.1, 1.4])
    assert tones(clip, times) == [(START + at) % 1 > 0.5 for at in times]


@pytest.mark.parametrize("name", [*_VIDEOS, "rotated.mp4"])
def test_a_copied_video_contains_the_moment_with_audio_in_sync(sample: Sample, tmp_path: Path, name: str) -> None:
    """It may start earlier. The tone sounds while the step is odd, in the clip as in the sample."""
    clip = cut(sample(name), tmp_path, reencode=False)
    info, whole = probe(clip), probe(sample(name))
    assert info.video and whole.video and info.video.codec == whole.video.codec
    assert LENGTH - FRAME <= info.duration_seconds <= END + 2 * FRAME
    times = np.arange(0.4, info.duration_seconds - 0.05, 1 / (7 * FRAMES_PER_SECOND))
    seen = steps(clip, times)
    assert seen[0] <= int(START * 2)
    assert seen[-1] >= int((END - 0.1) * 2)
    assert sorted(seen) == seen
    if info.audio:
        inside = [at for at in range(1, len(seen) - 1) if len(set(seen[at - 1 : at + 2])) == 1]
        assert inside
        assert tones(clip, times[inside]) == [seen[at] % 2 == 1 for at in inside]


@pytest.mark.parametrize("name", _SOUNDS)
def test_a_copy_of_audio_keeps_its_codec_and_length(sample: Sample, tmp_path: Path, name: str) -> None:
    clip = cut(sample(name), tmp_path, reencode=False)
    info, whole = probe(clip), probe(sample(name))
    assert info.audio and whole.audio and info.audio.codec == whole.audio.codec
    assert info.video is None
    assert LENGTH - PACKET <= info.duration_seconds <= END + PACKET


def test_the_container_of_the_source_is_kept_if_possible(sample: Sample, tmp_path: Path) -> None:
    for name, suffix in (("vp9.webm", ".webm"), ("tone.m4a", ".m4a"), ("no_suffix", ".mp4"), ("mpeg4.avi", ".mkv")):
        assert choose_clip_format(sample(name), reencode=False).suffix == suffix
    recorded = shutil.copy(sample("both.mp4"), tmp_path / "recorded.MOV")
    assert choose_clip_format(recorded, reencode=False).muxer == "mov"


def test_odd_sizes_are_made_even(sample: Sample, tmp_path: Path) -> None:
    odd = tmp_path / "odd.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=63x47:d=4", "-c:v", "ffv1", odd)
    info = probe(cut(odd, tmp_path, reencode=True))
    assert info.video and (info.video.width, info.video.height) == (62, 46)


def test_names_are_never_patterns_or_options(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"-i %03d \n'x' \xff.mp4")
    shutil.copy(sample("both.mp4"), path)
    assert probe(cut(path, tmp_path, reencode=False)).duration_seconds >= LENGTH - FRAME


def test_failed_cuts_are_errors(sample: Sample, tmp_path: Path) -> None:
    how = choose_clip_format(sample("both.mp4"), reencode=False)
    with pytest.raises(MediaError, match="cannot be cut"):
        cut_clip(sample("both.mp4"), 1.0, 2.0, tmp_path / "no folder" / "clip.mp4", how)
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(MediaError, match="not a media file"):
        choose_clip_format(tmp_path / "text.mp4", reencode=False)
