"""Decoded samples and the timestamps that FFmpeg writes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pesearch.media.audio_choice import Sound
from pesearch.media.decoded_audio import AudioDecoder, DecodedFrame, FiltersRebuilt
from pesearch.timeline import SAMPLE_RATE
from tests.media.samples import ffmpeg

_MONO = Sound((0,), 1)
_TONE = ("-f", "lavfi", "-i", "sine=440:d=4:r=48000")
_PAUSE = ("-af", "aselect='not(between(t,1,2))'")


@pytest.fixture(scope="module")
def paused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording without its second second; its title is what the decoder reads from FFmpeg's log."""
    path = tmp_path_factory.mktemp("decoded") / "paused.mkv"
    ffmpeg(*_TONE, *_PAUSE, "-c:a", "pcm_s16le", "-metadata", "title=x\n0.250000\n7.500000\n", path)
    return path


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broadcast that goes from 48 kHz mono to 44.1 kHz stereo after 4 s."""
    folder = tmp_path_factory.mktemp("changing")
    path = folder / "changing.ts"
    for number, format_options in enumerate((("-ac", "1"), ("-ac", "2", "-ar", "44100"))):
        ffmpeg(*_TONE, *format_options, "-c:a", "mp2", "-output_ts_offset", str(4 * number), folder / f"{number}.ts")
    path.write_bytes(b"".join((folder / f"{number}.ts").read_bytes() for number in range(2)))
    return path


def _decoded(path: Path, *, each_timestamp: bool) -> list[DecodedFrame]:
    decoder, frames = AudioDecoder(path, _MONO, (), 0.0, each_timestamp=each_timestamp), []
    try:
        while not decoder.has_ended:
            frames += decoder.receive()
    finally:
        decoder.close()
    return frames


def _placed(frames: list[DecodedFrame]) -> tuple[list[int], list[int]]:
    """The first and the last sample of each stretch without a gap, by their timestamps."""
    firsts, ends = [], []
    for frame in frames:
        assert frame.timestamp_seconds is not None
        first = round(frame.timestamp_seconds * SAMPLE_RATE)
        if ends and abs(first - ends[-1]) <= 0.002 * SAMPLE_RATE:
            ends[-1] += len(frame.samples)
        else:
            firsts.append(first)
            ends.append(first + len(frame.samples))
    return firsts, ends


@pytest.mark.parametrize("each_timestamp", [False, True])
@pytest.mark.parametrize("has_colors", [False, True])
def test_samples_are_where_their_timestamps_say(
    paused: Path, monkeypatch: pytest.MonkeyPatch, each_timestamp: bool, has_colors: bool
) -> None:
    if has_colors:
        monkeypatch.setenv("AV_LOG_FORCE_COLOR", "1")
    firsts, ends = _placed(_decoded(paused, each_timestamp=each_timestamp))
    assert firsts == pytest.approx([0, 2 * SAMPLE_RATE], abs=1200)
    assert ends == pytest.approx([SAMPLE_RATE, 4 * SAMPLE_RATE], abs=1200)


def test_both_ways_to_write_timestamps_give_the_same_samples(paused: Path) -> None:
    few, each = (_decoded(paused, each_timestamp=each) for each in (False, True))
    assert len(few) < len(each) / 4
    assert _placed(few) == _placed(each)
    assert np.array_equal(*(np.concatenate([frame.samples for frame in frames]) for frames in (few, each)))


def test_a_stream_that_changes_needs_each_timestamp(changing: Path) -> None:
    with pytest.raises(FiltersRebuilt):
        _decoded(changing, each_timestamp=False)
    firsts, ends = _placed(_decoded(changing, each_timestamp=True))
    assert firsts[0] < SAMPLE_RATE * 2
    assert ends[-1] - firsts[0] == pytest.approx(8 * SAMPLE_RATE, abs=SAMPLE_RATE / 4)
