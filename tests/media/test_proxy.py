"""Transcoded cuts for browsers, and waveforms."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image

from pesearch.errors import MediaError
from pesearch.media.probe import probe
from pesearch.media.proxy import render_waveform, write_proxy
from tests.media.samples import ffmpeg

Sample = Callable[[str], Path]


@pytest.mark.parametrize("name", ["both.mp4", "offset.ts", "vp9.webm", "animated.gif", "rotated.mp4"])
def test_a_cut_is_h264_of_the_requested_length(sample: Sample, tmp_path: Path, name: str) -> None:
    cut = tmp_path / "cut.mp4"
    write_proxy(sample(name), 1.0, 3.0, cut, Event())
    info = probe(cut)
    assert info.video is not None
    assert info.video.codec == "h264"
    assert info.duration_seconds == pytest.approx(2.0, abs=0.2)
    assert (info.video.height > info.video.width) == (name == "rotated.mp4")


def test_cover_art_is_not_in_the_cut(sample: Sample, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    write_proxy(sample("cover.mp3"), 0, 1, cut, Event())
    info = probe(cut)
    assert info.video is None
    assert info.audio is not None
    assert info.audio.codec == "aac"


def test_a_cancelled_cut_ends_ffmpeg(tmp_path: Path) -> None:
    path, cut, cancelled = tmp_path / "film.mkv", tmp_path / "cut.mp4", Event()
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30:duration=1", "-c:v", "mpeg4", tmp_path / "second.mkv")
    ffmpeg("-stream_loop", "9", "-i", tmp_path / "second.mkv", "-c", "copy", path)

    def cancel_once_started() -> None:
        while not (cut.exists() and cut.stat().st_size):
            time.sleep(0.01)
        cancelled.set()

    with ThreadPoolExecutor(1) as threads:
        started = threads.submit(cancel_once_started)
        with pytest.raises(MediaError, match="cancelled"):
            write_proxy(path, 0, 10, cut, cancelled)
        started.result()
    size = cut.stat().st_size
    assert b"moov" not in cut.read_bytes()
    assert not Event().wait(0.2)
    assert cut.stat().st_size == size


def test_an_interval_beyond_the_end_is_an_error(sample: Sample, tmp_path: Path) -> None:
    for make in (
        lambda: write_proxy(sample("both.mp4"), 100, 101, tmp_path / "cut.mp4", Event()),
        lambda: render_waveform(sample("both.mp4"), 100, 101),
    ):
        with pytest.raises(MediaError, match="nothing at 100"):
            make()


def test_the_height_of_a_waveform_follows_the_loudness(tmp_path: Path) -> None:
    path = tmp_path / "loud_then_quiet.wav"
    source = "sine=frequency=440:duration=4,volume='if(lt(t,2),1,0.02)':eval=frame"
    ffmpeg("-f", "lavfi", "-i", source, path)
    opaque = np.asarray(Image.open(io.BytesIO(render_waveform(path, 0, 8))))[..., 3] > 0
    heights = opaque.sum(axis=0)
    loud, quiet, none = heights[20:280].mean(), heights[320:580].mean(), heights[620:].mean()
    assert loud > 2 * quiet > 4 * none
    beyond = np.asarray(Image.open(io.BytesIO(render_waveform(path, 2, 4))))[..., 3] > 0
    assert beyond.sum(axis=0)[100:].max() < loud  # the sound gets quiet a little after 2 s: volume goes by blocks


def test_a_file_without_audio_has_no_waveform(sample: Sample) -> None:
    with pytest.raises(MediaError, match="has no sound"):
        render_waveform(sample("animated.gif"), 0, 1)
