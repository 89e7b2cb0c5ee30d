"""Audio decoded to 48 kHz mono, on the player's clock."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pesearch.errors import MediaError
from pesearch.media.audio import AudioReader, read_audio
from pesearch.timeline import SAMPLE_RATE, windows
from tests.media.broken import hollow, overwrite
from tests.media.samples import SECONDS, ffmpeg, is_tone

Sample = Callable[[str], Path]

_SOUNDS = ["tone.wav", "tone.mp3", "tone.flac", "tone.ogg", "tone.opus", "tone.m4a", "tone.aac", "cover.mp3"]
_VIDEOS = ["both.mp4", "offset.mkv", "offset.ts", "late_clock.ts", "vp9.webm", "mpeg4.avi"]


@pytest.mark.parametrize("name", _SOUNDS + _VIDEOS)
def test_tone_and_silence_where_they_are(sample: Sample, name: str) -> None:
    with AudioReader(sample(name)) as reader:
        for start in np.arange(0.1, SECONDS - 0.4, 0.5):
            samples = reader.read(start, start + 0.3)
            assert samples.dtype == np.float32 and samples.shape == (round(0.3 * SAMPLE_RATE),)
            assert is_tone(samples) == (start % 1 > 0.5), start


def test_audio_follows_jumps_of_the_clock(sample: Sample) -> None:
    with AudioReader(sample("jumping_clock.ts")) as reader:
        for start, has_tone in [(0.6, True), (10.6, False), (990.6, False), (1000.7, True), (1000.2, False)]:
            assert is_tone(reader.read(start, start + 0.25)) == has_tone
    assert is_tone(read_audio(sample("jumping_clock.ts"), 1001.7, 1001.95))


@pytest.mark.parametrize(
    "name", ["tone.wav", "tone.flac", "tone.mp3", "tone.aac", "tone.opus", "offset.mkv", "offset.ts"]
)
def test_a_range_is_the_same_alone_and_within_the_whole(sample: Sample, name: str) -> None:
    """A seek gives the same onset of the tone as reading on, to 2 ms (codecs differ in the waveform)."""
    whole = read_audio(sample(name), 0, SECONDS)
    alone = read_audio(sample(name), 2.25, 3.0)
    onsets = [int(np.argmax(np.abs(part) > 0.2)) for part in (whole[round(2.25 * SAMPLE_RATE) :], alone)]
    assert onsets[0] == pytest.approx(0.25 * SAMPLE_RATE, abs=0.03 * SAMPLE_RATE)
    assert abs(onsets[0] - onsets[1]) <= 0.002 * SAMPLE_RATE


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(-2, 6), st.floats(0, 3)), min_size=1, max_size=4))
def test_any_ranges_in_any_order(sample: Sample, ranges: list[tuple[float, float]]) -> None:
    whole = read_audio(sample("tone.wav"), -2, 10)
    with AudioReader(sample("tone.wav")) as reader:
        for start, length in ranges:
            samples = reader.read(start, start + length)
            assert len(samples) == round((start + length - start) * SAMPLE_RATE)
            first = round(start * SAMPLE_RATE) + 2 * SAMPLE_RATE
            # A seek lands on a sample as stored (44.1 kHz): half of one is 0.036 of this tone, a whole one 0.07.
            assert np.abs(samples - whole[first : first + len(samples)])[64:].max(initial=0) < 0.05


def test_overlapping_windows_agree_to_the_sample(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    ffmpeg("-stream_loop", "5", "-i", sample("tone.wav"), path)
    whole = read_audio(path, 0, 24)
    with AudioReader(path) as reader:
        for start, end in windows(24.0):
            part = slice(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))
            assert np.array_equal(reader.read(start, end), whole[part])


def test_ranges_far_apart_are_read_by_seeking(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "longer.flac"
    ffmpeg("-stream_loop", "49", "-i", sample("tone.wav"), path)
    with AudioReader(path) as reader:
        assert is_tone(reader.read(0.6, 0.9))
        assert is_tone(reader.read(150.6, 150.9)) and not is_tone(reader.read(151.1, 151.4))
        assert not is_tone(reader.read(0.1, 0.4))


@pytest.mark.parametrize("name", ["late_sound.mkv", "late_sound.mp4"])
def test_a_late_start_of_the_audio_is_silence(sample: Sample, name: str) -> None:
    """By timestamps in Matroska, by an edit list in MP4: the first tone is at 1.5 s, not at 0.5 s."""
    samples = read_audio(sample(name), 0, SECONDS)
    assert not is_tone(samples[: round(1.4 * SAMPLE_RATE)])
    assert is_tone(samples[round(1.6 * SAMPLE_RATE) : round(1.9 * SAMPLE_RATE)])
    onset = int(np.argmax(np.abs(samples) > 0.2)) / SAMPLE_RATE
    assert onset == pytest.approx(1.5, abs=0.03)
    alone = read_audio(sample(name), 0.9, 1.9)
    assert not is_tone(alone[: round(0.5 * SAMPLE_RATE)]) and is_tone(alone[round(0.7 * SAMPLE_RATE) :])


def test_silence_outside_the_file(sample: Sample) -> None:
    for name in ("both.mp4", "offset.ts"):
        with AudioReader(sample(name)) as reader:
            assert not reader.read(-2, 0).any()
            assert not reader.read(100, 101).any()
            assert reader.read(3.2, 9).any()
            assert len(reader.read(2, 2)) == 0


def test_stereo_is_mixed_to_the_mean(sample: Sample) -> None:
    """The right channel of this sample is silent: the tone of 0.5 comes out at 0.25."""
    samples = read_audio(sample("stereo.wav"), 0.6, 0.9)
    assert np.abs(samples).max() == pytest.approx(0.25, abs=0.02)


def test_resampling_keeps_the_pitch(sample: Sample) -> None:
    samples = read_audio(sample("tone.wav"), 0.5, 1.0)
    peak = np.argmax(np.abs(np.fft.rfft(samples))) / 0.5
    assert peak == pytest.approx(1000, abs=3)


def test_files_without_audio_are_refused(sample: Sample) -> None:
    for name in ("silent.mp4", "animated.gif"):
        with pytest.raises(MediaError, match="has no sound"):
            AudioReader(sample(name))


def test_intact_parts_of_damaged_audio_are_read(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "scratched.mp3"
    path.write_bytes(overwrite(sample("tone.mp3").read_bytes(), 0.45, 0.5))
    samples = read_audio(path, 0, SECONDS)
    assert is_tone(samples[round(0.6 * SAMPLE_RATE) : round(0.9 * SAMPLE_RATE)])
    assert is_tone(samples[round(3.6 * SAMPLE_RATE) : round(3.9 * SAMPLE_RATE)])


def test_undecodable_audio_is_an_error_each_time(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "hollow.mp4"
    ffmpeg("-i", sample("tone.flac"), "-c", "copy", "-strict", "-2", path)
    path.write_bytes(hollow(path.read_bytes()))
    with AudioReader(path) as reader:
        for _ in range(2):
            with pytest.raises(MediaError, match="none of its sound"):
                reader.read(0, 2)


def test_names_of_any_bytes(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"-\xff\n.wav")
    shutil.copy(sample("tone.wav"), path)
    assert is_tone(read_audio(path, 0.6, 0.9))


def test_closing_ends_the_process(sample: Sample) -> None:
    with AudioReader(sample("tone.wav")) as reader:
        reader.read(0, 0.1)
        assert reader._decoder is not None
        process = reader._decoder.process
        assert process.poll() is None
    assert process.poll() is not None
