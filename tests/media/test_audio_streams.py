"""Which streams and channels are heard, and at what level."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.audio_track import AudioTrack, parse_audio_track
from pesearch.errors import QueryError
from pesearch.media.audio import AudioReader, read_audio
from pesearch.media.cut_clip import choose_clip_format, cut_clip
from pesearch.media.downmix import BLOCK_SAMPLES, Mixer, mix_down
from pesearch.media.probe import inspect
from pesearch.media.proxy import write_proxy
from pesearch.media.sound_level import is_usual, measure_level
from pesearch.timeline import SAMPLE_RATE
from pesearch.types import FloatArray
from tests.media.broken import overwrite
from tests.media.clock_sound import SILENCE, clock_sound, pitch, pitches, pitches_backwards, recording
from tests.media.samples import ffmpeg


def _tone(hertz: int) -> list[str]:
    return ["-f", "lavfi", "-i", f"aevalsrc='0.4*sin(2*PI*{hertz}*t)':d=2"]


_NOTHING = ["-f", "lavfi", "-t", "2", "-i", "anullsrc=cl=mono"]


def _levels(path: Path, hertz: tuple[int, ...]) -> list[float]:
    """The amplitudes of tones halfway through a file of 2 s."""
    samples = read_audio(path, 0.5, 1.5)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) * 4 / len(samples)
    return [float(spectrum[frequency]) for frequency in hertz]


@pytest.mark.parametrize(("name", "codec"), [("camera.mov", "pcm_s16le"), ("camera.mxf", "pcm_s16le")])
def test_mono_streams_of_one_recording_are_mixed(tmp_path: Path, name: str, codec: str) -> None:
    path = tmp_path / name
    ffmpeg(
        "-f", "lavfi", "-i", "color=black:s=320x240:r=25:d=2", *_tone(440), *_tone(880), *_tone(1320), "-map", "0",
        "-map", "1", "-map", "2", "-map", "3", "-c:v", "mpeg2video", "-c:a", codec, "-ar", "48000", path,
    )  # fmt: skip
    assert inspect(path).remarks == ()
    assert _levels(path, (440, 880, 1320)) == pytest.approx([0.4 / 3] * 3, abs=0.01)


def test_an_unused_input_of_a_recorder_does_not_lower_the_others(tmp_path: Path) -> None:
    path = tmp_path / "two_mono.mov"
    ffmpeg(*_NOTHING, *_tone(880), "-map", "0", "-map", "1", "-c:a", "pcm_s16le", path)
    assert _levels(path, (880,)) == pytest.approx([0.4], abs=0.01)


@pytest.mark.parametrize("codec", ["flac", "ac3"])  # AC-3 decodes silence to noise
def test_a_silent_stream_gives_way_to_the_next(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "recording.mkv"
    ffmpeg(*_NOTHING, *_tone(880), "-map", "0", "-map", "1", "-c:a", codec, "-ac", "2", path)
    container = inspect(path)
    assert container.audio_index == 1
    assert [remark.reason for remark in container.remarks] == [
        "audio track 1 is silent: 2 is heard",
        "audio track 1 is not searched (`pesearch index --audio-track`)",
    ]
    assert _levels(path, (880,)) == pytest.approx([0.4 / 2**0.5], abs=0.01)


def test_the_user_chooses_among_languages(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    tagged = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger", "-disposition:a:1", "0"]
    ffmpeg(*_tone(440), *_tone(880), "-map", "0", "-map", "1", *tagged, "-c:a", "flac", path)
    assert [remark.reason for remark in inspect(path).remarks] == [
        "audio track 2 (ger) is not searched (`pesearch index --audio-track`)"
    ]
    for wanted, hertz in (("auto", 440), ("2", 880), ("1", 440), ("de", 880), ("deu", 880), ("en-GB", 440)):
        with AudioReader(path, parse_audio_track(wanted)) as reader:
            samples = reader.read(0.5, 1.5)
        assert int(np.argmax(np.abs(np.fft.rfft(samples)))) == hertz, wanted
    missing = inspect(path, AudioTrack("3"))
    assert missing.audio_index == 0
    assert missing.remarks[0].reason == "has no audio track 3: track 1 is heard"


@pytest.mark.parametrize("wrong", ["", "0", "english", "-1", "e", "2.5"])
def test_what_is_no_audio_track_is_refused(wrong: str) -> None:
    with pytest.raises(QueryError, match="use a number"):
        parse_audio_track(wrong)


@pytest.mark.parametrize(("channels", "used"), [(3, 2), (4, 1), (6, 3), (8, 3), (10, 9)])
def test_channels_without_a_layout_are_all_heard(tmp_path: Path, channels: int, used: int) -> None:
    """FFmpeg takes 3, 6 and 8 channels for 2.1, 5.1 and 7.1, and drops the subwoofer's; 10 it refuses."""
    path = tmp_path / "polywav.wav"
    sound = "|".join("0.4*sin(2*PI*880*t)" if channel == used else "0" for channel in range(channels))
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc='{sound}':d=2", "-c:a", "pcm_s16le", path)
    content = bytearray(path.read_bytes())
    if content[20:22] == b"\xfe\xff":  # WAVE_FORMAT_EXTENSIBLE, with a mask of speakers
        content[40:44] = bytes(4)
    path.write_bytes(content)
    assert _levels(path, (880,)) == pytest.approx([0.4], abs=0.01)


def test_stereo_out_of_phase_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "phase.wav"
    ffmpeg(*_tone(880), "-af", "pan=stereo|c0=c0|c1=-1*c0", path)
    assert _levels(path, (880,)) == pytest.approx([0.4], abs=0.01)


@given(st.integers(1, 4), st.lists(st.integers(1, 3 * BLOCK_SAMPLES), min_size=1, max_size=5), st.booleans())
def test_the_mix_does_not_depend_on_how_samples_arrive(channels: int, lengths: list[int], is_discrete: bool) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, (sum(lengths), channels)).astype(np.float32)
    samples[:BLOCK_SAMPLES, -1] = 0
    whole, parts = Mixer(is_discrete), Mixer(is_discrete)
    expected = _mixed(whole.push(0, samples.copy()) + whole.flush())
    pieces, at = [], 0
    for length in lengths:
        pieces += parts.push(at, samples[at : at + length].copy())
        at += length
    assert np.array_equal(_mixed(pieces + parts.flush()), expected)


def _mixed(pieces: list[tuple[int, FloatArray]]) -> FloatArray:
    assert [at for at, _ in pieces] == np.cumsum([0, *(len(piece) for _, piece in pieces)])[:-1].tolist()
    return np.concatenate([piece for _, piece in pieces])


def test_stereo_with_one_silent_side_is_the_mean() -> None:
    block = np.stack([np.ones(100), np.zeros(100)], axis=1).astype(np.float32)
    assert mix_down(block, is_discrete=False) == pytest.approx(0.5)
    assert mix_down(block, is_discrete=True) == pytest.approx(1.0)


def test_noise_of_unused_inputs_does_not_lower_the_others() -> None:
    noise = np.random.default_rng(0).normal(0, 2e-4, (1000, 4)).astype(np.float32)
    block = noise + np.array([0.5, 0, 0, 0], dtype=np.float32)
    assert mix_down(block, is_discrete=True) == pytest.approx(0.5, abs=1e-3)
    assert mix_down(noise, is_discrete=True) == pytest.approx(noise.mean(axis=1), abs=1e-7)


def test_one_absurd_sample_costs_no_more_than_itself(tmp_path: Path) -> None:
    path = tmp_path / "float.wav"
    ffmpeg(*_tone(880), "-ar", "48000", "-c:a", "pcm_f32le", path)
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 8 + 4 * SAMPLE_RATE
    whole = read_audio(path, 0, 2)
    content[at : at + 8] = struct.pack("<2f", 3e38, float("nan"))
    path.write_bytes(content)
    with AudioReader(path) as reader:
        samples = reader.read(0, 2)
        assert [(remark.reason, remark.seconds) for remark in reader.remarks] == [
            ("damaged samples are silence", pytest.approx(2 / SAMPLE_RATE))
        ]
    assert np.flatnonzero(samples != whole).tolist() == [SAMPLE_RATE, SAMPLE_RATE + 1]


@pytest.fixture
def chained(tmp_path: Path) -> Callable[[int], Path]:
    """Makes an Ogg file of a tone of 500 Hz, and one of 800 Hz with this sample rate, two seconds each."""

    def make(rate: int) -> Path:
        first, second, path = tmp_path / "first.ogg", tmp_path / "second.ogg", tmp_path / "chained.ogg"
        ffmpeg(*_tone(500), "-ar", "48000", "-c:a", "libvorbis", first)
        ffmpeg(*_tone(800), "-ar", str(rate), "-c:a", "libvorbis", second)
        path.write_bytes(first.read_bytes() + second.read_bytes())
        assert not inspect(first).remarks
        return path

    return make


def test_chained_ogg_streams_follow_each_other(chained: Callable[[int], Path]) -> None:
    path = chained(48_000)
    assert [remark.reason for remark in inspect(path).remarks] == [
        "its clock restarts once: the parts are placed one after the other"
    ]
    assert inspect(path).info.duration_seconds == pytest.approx(4, abs=0.05)
    assert pitches(path) == [500, 500, 800, 800]


def test_a_chained_ogg_stream_of_another_rate_is_a_remark(chained: Callable[[int], Path]) -> None:
    """FFmpeg counts its time at the first rate, and states an overflowed duration where the rate changes."""
    path = chained(22_050)
    assert [remark.reason for remark in inspect(path).remarks] == [
        "1 more recording follows the first one in this file, and cannot be read: split it"
    ]
    assert inspect(path).info.duration_seconds == pytest.approx(2, abs=0.05)


def test_a_flac_file_that_follows_another_is_a_remark(tmp_path: Path) -> None:
    path = tmp_path / "joined.flac"
    ffmpeg(*_tone(500), path)
    assert inspect(path).remarks == ()
    path.write_bytes(3 * path.read_bytes())
    assert [remark.reason for remark in inspect(path).remarks] == [
        "2 more recordings follow the first one in this file, and cannot be read: split it"
    ]


def test_the_length_of_what_cannot_be_decoded_is_a_remark(tmp_path: Path) -> None:
    path = tmp_path / "damaged.mp4"
    pause = "aselect='not(between(t,1,2))'"
    ffmpeg("-f", "lavfi", "-i", "sine=880:d=6", "-af", pause, "-c:a", "aac", "-b:a", "64k", path)
    with AudioReader(path) as reader:
        assert not reader.read(0, 6)[round(1.2 * SAMPLE_RATE) : round(1.8 * SAMPLE_RATE)].any()
        assert reader.remarks == ()
    path.write_bytes(overwrite(path.read_bytes(), 0.4, 0.6))
    with AudioReader(path) as reader:
        assert not reader.read(0, 6)[round(3.3 * SAMPLE_RATE) : round(3.7 * SAMPLE_RATE)].any()
        assert [(remark.reason, remark.seconds) for remark in reader.remarks] == [
            ("sound could not be decoded in places", pytest.approx(1.0, abs=0.2))
        ]


@pytest.mark.parametrize("gain", [10 ** (-30 / 20), 10 ** (24 / 20)])
def test_unusual_levels_come_to_the_usual_one(tmp_path: Path, gain: float) -> None:
    path = tmp_path / "level.wav"
    ffmpeg(*_tone(880), "-af", f"volume={gain}", "-c:a", "pcm_f32le", path)
    assert _levels(path, (880,)) == pytest.approx([2**0.5 * 10 ** (-16 / 20)], rel=0.02)


def test_a_constant_offset_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "offset.wav"
    ffmpeg(*_tone(880), "-af", "aeval=val(0)+0.5", "-c:a", "pcm_f32le", path)
    samples = read_audio(path, 0.5, 1.5)
    assert (samples.mean(), np.abs(samples).max()) == (pytest.approx(0, abs=0.01), pytest.approx(0.4, abs=0.01))


def test_a_quiet_beginning_does_not_raise_the_rest() -> None:
    time = np.arange(60 * SAMPLE_RATE) / SAMPLE_RATE
    sound = (0.2 * np.sin(440 * time) * np.where(time < 20, 0.01, 1.0)).astype(np.float32)
    assert is_usual(sound[: 10 * SAMPLE_RATE]) is False
    assert is_usual(np.zeros(100, dtype=np.float32)) is None
    level = measure_level(lambda start, end: sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)], 60.0)
    assert (level.gain, level.offset) == (1.0, 0.0)


@pytest.mark.parametrize("codec", ["adpcm_ima_wav", "adpcm_ms"])
def test_compressed_wav_is_read_forwards(tmp_path: Path, codec: str) -> None:
    """FFmpeg's seeks in it are a third late."""
    path = tmp_path / "dictation.wav"
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc='{clock_sound()}':d=6:s=22050", "-c:a", codec, path)
    assert not inspect(path).is_sound_plain
    assert pitches_backwards(path, range(6)) == [pitch(second) for second in range(6)]


def test_proxies_and_clips_have_the_sound_that_was_searched(tmp_path: Path) -> None:
    path, proxy, clip = tmp_path / "dictation.wav", tmp_path / "proxy.mp4", tmp_path / "clip.flac"
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc='{clock_sound()}':d=6:s=22050", "-c:a", "adpcm_ima_wav", path)
    write_proxy(path, 3.0, 5.0, proxy, Event())
    cut_clip(path, 3.0, 5.0, clip, choose_clip_format(path, reencode=False))
    assert pitches(proxy) == pitches(clip) == [pitch(3), pitch(4)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(recording(tmp_path / "part.ts", first, 3, "-c:a", "mp2") for first in (0, 3)))
    write_proxy(joined, 2.0, 5.0, proxy, Event())
    assert pitches(proxy) == [pitch(2), pitch(3), pitch(4)]


def test_a_wav_beyond_its_stated_size_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "over_4_gib.wav"
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc='{clock_sound()}':d=6", "-bitexact", path)
    whole = path.read_bytes()
    content = bytearray(whole)
    content[4:8], content[40:44] = struct.pack("<I", 20_036), struct.pack("<I", 20_000)
    path.write_bytes(content)
    assert inspect(path).info.duration_seconds == pytest.approx(6.0)
    assert pitches(path) == [pitch(second) for second in range(6)]
    tagged = tmp_path / "tagged.wav"  # a chunk after the samples is no sound
    tagged.write_bytes(whole + b"LIST" + struct.pack("<I", 20_000) + bytes(20_000))
    assert pitches(tagged) == [pitch(second) for second in range(6)]
    assert SILENCE not in pitches(tagged)
