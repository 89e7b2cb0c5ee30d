"""Index, thumbnail, proxy and clip show the picture that is shown at a time, however the film is stored."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image

from pesearch.media.audio import read_audio
from pesearch.media.cut_clip import choose_clip_format, cut_clip
from pesearch.media.ffmpeg import video_decoder
from pesearch.media.probe import inspect, probe
from pesearch.media.proxy import write_proxy
from pesearch.media.thumbnails import thumbnail
from pesearch.media.video import FrameReader, read_frames
from pesearch.timeline import SAMPLE_RATE as RATE
from pesearch.timeline import grid
from pesearch.types import FloatArray, ImageArray
from tests.media.clock_film import SECONDS, number_of, pitch_hz
from tests.media.clock_variants import TRIMMED_SECONDS, VARIANTS, make

Film = Callable[[str], Path]

THUMBNAIL_SECONDS, START, END = 8.1, 6.3, 6.7


@pytest.fixture(scope="session")
def film(shared_folder: Path) -> Film:
    """A function from the name of a variant to its path. The files are shared: do not change them."""
    folder = shared_folder / "clock_films"
    folder.mkdir(exist_ok=True)
    return lambda name: make(name, folder)


each_variant = pytest.mark.parametrize("name", VARIANTS, scope="module")
"""The scope runs all tests of a variant one after the other: its file is probed once."""


@each_variant
def test_the_index_takes_the_picture_that_is_shown(film: Film, name: str) -> None:
    path, variant = film(name), VARIANTS[name]
    times = grid(0, probe(path).duration_seconds)
    frames = list(read_frames(path, times))
    assert [frame.time_seconds for frame in frames] == times.tolist()
    wrong = {
        frame.time_seconds: (number, right)
        for frame in frames
        if (number := number_of(frame.image)) not in (right := variant.shown.at(frame.time_seconds))
    }
    assert not wrong
    assert {frame.image.shape for frame in frames} == {(variant.size[1], variant.size[0], 3)} or "resized" in name


@each_variant
def test_each_second_sounds_at_its_pitch(film: Film, name: str) -> None:
    """Half a second long, neither earlier nor later by a tenth."""
    info = probe(film(name))
    if info.audio is None:
        return
    heard = read_audio(film(name), 0.0, info.duration_seconds)
    trimmed = TRIMMED_SECONDS if name.startswith("trimmed") else 0.0
    for second in range(math.ceil(trimmed), SECONDS - 1):
        at = second - trimmed
        tone, silence = (heard[round(first * RATE) : round(last * RATE)] for first, last in (
            (at + 0.1, at + 0.4), (at + 0.6, at + 0.9)))  # fmt: skip
        assert pitch_of(tone) == pytest.approx(pitch_hz(second), abs=5), second
        assert np.abs(silence).mean() < 0.1 * np.abs(tone).mean(), second


def pitch_of(samples: FloatArray) -> float:
    """The frequency of the loudest tone."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * RATE / len(samples))


@pytest.mark.slow
@each_variant
def test_thumbnail_proxy_and_clip_begin_with_the_picture_that_is_shown(film: Film, tmp_path: Path, name: str) -> None:
    path, variant, proxy, clip = film(name), VARIANTS[name], tmp_path / "proxy.mp4", tmp_path / "clip.mp4"
    has_sound = probe(path).audio is not None
    picture = np.array(Image.open(io.BytesIO(thumbnail(path, THUMBNAIL_SECONDS))))
    assert number_of(picture) in variant.shown.at(THUMBNAIL_SECONDS)
    assert picture.shape == (variant.size[1], variant.size[0], 3)
    write_proxy(path, START, END, proxy, Event())
    cut_clip(path, START, END, clip, choose_clip_format(path, reencode=True))
    for excerpt in (proxy, clip):
        image, seconds = first_frame_and_duration(excerpt, has_sound)
        assert number_of(image) in variant.shown.at(START)
        assert seconds == pytest.approx(END - START, abs=0.1)


def first_frame_and_duration(path: Path, has_sound: bool) -> tuple[ImageArray, float]:
    """Of an MP4 file with pictures, and with sound or without; from the first stream that begins to the last end."""
    decoder = video_decoder()(str(path), dimension_order="NHWC")
    extents = [(decoder.metadata.begin_stream_seconds, decoder.metadata.end_stream_seconds)]
    if has_sound:
        from torchcodec.decoders import AudioDecoder

        sound = AudioDecoder(str(path)).metadata
        begin, seconds = sound.begin_stream_seconds, sound.duration_seconds
        assert begin is not None and seconds is not None
        extents.append((begin, begin + seconds))
    begins, ends = zip(*extents, strict=True)
    return decoder[0].numpy(), max(ends) - min(begins)


@pytest.mark.parametrize("name", ["gop250_b3.ts", "trimmed.mp4", "joined.vob", "plain.mp4", "h264_b3.flv"])
def test_times_in_any_order_and_off_the_grid(film: Film, name: str) -> None:
    times = [7.3, 0.2, 7.9, 7.9, 3.75]
    with FrameReader(film(name)) as reader:
        for frame in reader.read(times):
            assert number_of(frame.image) in VARIANTS[name].shown.at(frame.time_seconds)


@pytest.mark.parametrize("name", ["slides.mp4", "slides.ts", "long_sound.mkv", "slides.gif"])
def test_after_the_last_picture_the_last(film: Film, name: str) -> None:
    last = VARIANTS[name].shown.numbers[-1]
    for seconds in (11.9, 1e6):
        assert number_of(np.array(Image.open(io.BytesIO(thumbnail(film(name), seconds))))) == last
    assert [number_of(frame.image) for frame in read_frames(film(name), [11.9, 1e6])] == [last, last]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gop250_b3.ts", "mpeg2_gop250.mpg", "gop50_b3.ts", "dvd_b2.vob", "plain.mp4"])
def test_a_copied_clip_begins_at_the_key_frame_before(film: Film, tmp_path: Path, name: str) -> None:
    path = film(name)
    clip_format = choose_clip_format(path, reencode=False)
    clip = tmp_path / f"clip{clip_format.suffix}"
    cut_clip(path, START, END, clip, clip_format)
    numbers = [number_of(frame.image) for frame in read_frames(clip, grid(0, probe(clip).duration_seconds))]
    first = numbers[0]
    assert first is not None
    if name == "dvd_b2.vob":  # a seek arrives up to two key frames before
        assert first % 12 == 0 and 120 <= first <= 156
    else:
        assert abs(first - {"gop50_b3.ts": 150, "plain.mp4": 150}.get(name, 0)) <= 2
    assert numbers == sorted(numbers, key=lambda number: number or 0) and (numbers[-1] or 0) >= 150


def test_other_cameras_are_remarked(film: Film) -> None:
    (remark,) = inspect(film("second_is_default.mkv")).remarks
    assert remark.reason.startswith("1 other video stream")
    assert inspect(film("poster_first.mov")).remarks == ()
