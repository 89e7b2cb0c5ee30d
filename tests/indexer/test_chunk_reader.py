"""Reading a file in chunks: their windows, frames and sound, and the parts that are damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.errors import MediaError
from pesearch.indexer import chunk_reader
from pesearch.indexer.chunk_reader import MAX_UNCHANGED_SECONDS, read_chunks
from pesearch.indexer.media_chunk import MediaChunk
from pesearch.media.audio import AudioReader
from pesearch.media.mp4_index import READING_BUDGET
from pesearch.media.probe import inspect, probe
from pesearch.media.video import FrameReader
from pesearch.timeline import CHUNK_SECONDS, FRAMES_PER_SECOND, HOP_SECONDS, STEP_SAMPLES, grid
from pesearch.types import FloatArray, MediaInfo, MediaKind, Remark
from tests.media.broken import lose_pictures
from tests.media.samples import ffmpeg, is_tone, step_of

Sample = Callable[[str], Path]


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """47.3 s: two chunks, nine windows. Each second has its own grey, and a tone from 25 s on."""
    path = tmp_path_factory.mktemp("long") / "long.mkv"
    pictures = "color=black:s=64x48:r=10:d=47.3,geq=lum='30+4*floor(T+0.001)':cb=128:cr=128,format=yuv420p"
    sound = "aevalsrc='0.5*sin(2*PI*1000*t)*gte(t,25)':s=48000:d=47.3"
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le"]
    ffmpeg("-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound, *codecs, path)
    return path


def chunks_of(path: Path, models: ModelSet) -> list[MediaChunk]:
    return list(read_chunks(path, probe(path), models))


def test_chunks_follow_the_timeline_and_each_window_comes_once(long_clip: Path, models: ModelSet) -> None:
    chunks = chunks_of(long_clip, models)
    duration = probe(long_clip).duration_seconds
    assert [(chunk.start_seconds, chunk.end_seconds) for chunk in chunks] == [(0.0, 20.0), (20.0, duration)]
    assert [window for chunk in chunks for window in chunk.windows] == [
        *((5.0 * number, 5.0 * number + 10.0) for number in range(8)),  # ten seconds each, one every five
        (37.32, duration),  # the last ends with the file
    ]
    assert [len(chunk.windows) for chunk in chunks] == [3, 6]
    assert sum(chunk.media_seconds for chunk in chunks) == pytest.approx(duration)
    assert all(chunk.unread_seconds == 0 for chunk in chunks)


def test_files_with_large_indexes_are_decoded_one_at_a_time(
    long_clip: Path, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_reader, "claimed_index_bytes", lambda path: 10**9)
    held = [READING_BUDGET._held_bytes for _ in read_chunks(long_clip, probe(long_clip), models)]
    assert held == [512 << 20] * 2 and READING_BUDGET._held_bytes == 0


def test_a_chunk_has_its_sound_with_context_for_the_codec(long_clip: Path, models: ModelSet) -> None:
    first, second = (chunk.sound for chunk in chunks_of(long_clip, models))
    assert first is not None
    assert second is not None
    context = models.context_steps
    assert (first.first, first.start, first.stop) == (0, 0, 500)
    assert first.samples.shape == ((500 + context) * STEP_SAMPLES,)
    assert (second.first, second.start, second.stop) == (500 - context, 500, 1183)
    assert not first.samples.any()
    assert not is_tone(second.samples[: (125 + context - 1) * STEP_SAMPLES])
    assert is_tone(second.samples[(125 + context + 1) * STEP_SAMPLES :])
    assert (first.window_starts, first.window_ends) == ((125, 250, 375), (250, 375, 500))
    assert (second.window_starts, second.window_ends) == ((500, 625, 750, 875, 933), (625, 750, 875, 1000, 1125))


def test_each_frame_of_the_grid_is_sampled_once(long_clip: Path, models: ModelSet) -> None:
    frames = [frame for chunk in chunks_of(long_clip, models) for frame in chunk.frames]
    duration = probe(long_clip).duration_seconds
    assert [frame.start_seconds for frame in frames] == grid(0, duration).tolist()
    ends = [frame.end_seconds for frame in frames]
    assert ends[:-1] == [frame.start_seconds for frame in frames[1:]]
    assert ends[-1] == pytest.approx(duration)
    assert ends[-1] - frames[-1].start_seconds <= 1 / FRAMES_PER_SECOND
    shown = [(frame.resized.core.mean() / 255 * 219 + 16 - 30) / 4 for frame in frames]
    assert np.allclose(shown, np.floor(grid(0, duration) + 0.001), atol=0.5)


def test_frames_are_resized_for_the_towers(long_clip: Path, models: ModelSet) -> None:
    chunk, _ = chunks_of(long_clip, models)
    assert {frame.resized.core.shape for frame in chunk.frames} == {(64, 64, 3)}
    assert {frame.resized.video.shape for frame in chunk.frames if frame.resized.video is not None} == {(32, 32, 3)}
    assert chunk.sound is not None
    assert [each.at_seconds for each in chunk.previews] == [0, 10]
    kept_bytes = sum(len(each.jpeg) for each in chunk.previews)
    distinct = len({id(frame.resized) for frame in chunk.frames})
    assert (len(chunk.frames), distinct) == (32, 20)  # one a second
    assert chunk.size_bytes == distinct * 3 * (64 * 64 + 32 * 32) + kept_bytes + chunk.sound.samples.nbytes


@pytest.mark.parametrize("rate", ["0.25", "10"])
def test_a_picture_that_is_still_shown_is_the_same_object(rate: str, tmp_path: Path, models: ModelSet) -> None:
    """Two pictures in eight seconds, each stored as one frame or as forty: the towers get two frames."""
    path = tmp_path / "slides.mkv"
    ffmpeg("-f", "lavfi", "-i", f"testsrc=s=64x48:r=0.25:d=12,fps={rate}", "-t", "8", "-c:v", "ffv1", path)
    (chunk,) = chunks_of(path, models)
    assert len(chunk.frames) == 13
    assert len({id(frame.resized) for frame in chunk.frames}) == 2


def test_frames_are_resized_only_for_towers_of_the_model_set(long_clip: Path, tiny_set: Path) -> None:
    light = open_model_set("light", "cpu", tiny_set)
    for chunk in chunks_of(long_clip, light):
        assert chunk.frames
        assert {frame.resized.video for frame in chunk.frames} == {None}
        assert chunk.sound is not None


def test_sound_without_video_and_video_without_sound(sample: Sample, models: ModelSet) -> None:
    (heard,) = chunks_of(sample("tone.wav"), models)
    assert heard.sound is not None
    assert heard.frames == ()
    (seen,) = chunks_of(sample("silent.mp4"), models)
    assert seen.sound is None
    shown_since = np.floor(grid(0, 4) * 25 + 0.001) / 25  # 25 pictures a second, a new grey each half second
    assert [step_of(frame.resized.core) for frame in seen.frames] == [int(time * 2 + 0.001) for time in shown_since]


def test_a_still_image(sample: Sample, models: ModelSet) -> None:
    (chunk,) = chunks_of(sample("cover.png"), models)
    assert [(frame.start_seconds, frame.end_seconds) for frame in chunk.frames] == [(0.0, 0.0)]
    assert (chunk.sound, chunk.windows, chunk.media_seconds) == (None, (), 0.0)


def test_what_is_missing_of_a_still_image_is_a_remark(sample: Sample, tmp_path: Path, models: ModelSet) -> None:
    picture = tmp_path / "cut.jpg"
    ffmpeg("-i", sample("cover.png"), "-vf", "noise=alls=60", picture)
    picture.write_bytes(picture.read_bytes()[: picture.stat().st_size * 9 // 10])
    (chunk,) = chunks_of(picture, models)
    (remark,) = chunk.remarks
    assert remark.reason.startswith("the picture is cut short: ") and len(chunk.frames) == 1


def test_a_damaged_part_is_skipped_and_counted_as_unread(tmp_path: Path, models: ModelSet) -> None:
    """17.3 s of intra-coded frames; those from 9.5 s to 15.5 s are overwritten."""
    path = tmp_path / "broken.avi"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=17.3", "-c:v", "mjpeg", path)
    lose_pictures(path, 95, 155)
    (chunk,) = chunks_of(path, models)
    times = np.array([frame.start_seconds for frame in chunk.frames])
    assert not ((times > 9.6) & (times < 15.4)).any()
    assert len(times) in range(16, 20)
    assert chunk.unread_seconds == pytest.approx(6, abs=0.7)
    assert chunk.remarks == (Remark("pictures could not be decoded at 00:10.0-00:15.6", 5.625),)


def test_a_remark_of_the_container_and_of_each_reader_comes_with_the_last_chunk(
    long_clip: Path, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What both the container and a reader say comes once."""
    left, guessed, cut = Remark("1 of 2 sound tracks is not searched", 47.3), Remark("guessed"), Remark("cut short")
    container = replace(inspect(long_clip), remarks=(cut, left))
    monkeypatch.setattr(chunk_reader, "inspect", lambda path, track: container)
    monkeypatch.setattr(FrameReader, "remarks", (left,))
    monkeypatch.setattr(AudioReader, "remarks", (guessed,))
    assert [chunk.remarks for chunk in chunks_of(long_clip, models)] == [(), (cut, left, guessed)]


def test_sound_that_cannot_be_decoded_is_named(
    long_clip: Path, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first chunk, and all of it."""
    read = AudioReader.read

    def broken_before_20(reader: AudioReader, start: float, end: float) -> FloatArray:
        if start < 15:
            raise MediaError("damaged")
        return read(reader, start, end)

    monkeypatch.setattr(AudioReader, "read", broken_before_20)
    (remark,) = chunks_of(long_clip, models)[-1].remarks
    assert remark == Remark("sound could not be decoded at 00:00.0-00:20.0", 20.0)

    def broken(reader: AudioReader, start: float, end: float) -> FloatArray:
        raise MediaError("damaged")

    monkeypatch.setattr(AudioReader, "read", broken)
    (remark,) = chunks_of(long_clip, models)[-1].remarks
    assert remark == Remark("sound could not be decoded in the whole file", 47.3)


def test_a_file_of_which_nothing_can_be_decoded_is_an_error(sample: Sample, tmp_path: Path, models: ModelSet) -> None:
    """The file was removed after it was probed."""
    gone = tmp_path / "gone.mp4"
    info: MediaInfo = probe(sample("both.mp4"))
    with pytest.raises(MediaError, match="no such file"):
        list(read_chunks(gone, info, models))
    frame = probe(sample("cover.png"))
    assert frame.kind is MediaKind.IMAGE
    with pytest.raises(MediaError, match="no such file"):
        list(read_chunks(gone, frame, models))


def test_a_clock_that_jumps_costs_nothing(sample: Sample, models: ModelSet) -> None:
    """8 s of video and sound, in two parts that are 1000 s apart by their timestamps."""
    chunks = chunks_of(sample("jumping_clock.ts"), models)
    assert sum(chunk.media_seconds for chunk in chunks) == pytest.approx(1004, abs=0.1)
    cuts = [cut for chunk in chunks for cut in chunk.windows]
    assert len(cuts) <= (MAX_UNCHANGED_SECONDS + 3 * CHUNK_SECONDS) / HOP_SECONDS + 2
    assert cuts[-1][1] == chunks[-1].end_seconds
    assert sum(chunk.sound.samples.any() for chunk in chunks if chunk.sound is not None) <= 4
    assert max(frame.end_seconds for chunk in chunks for frame in chunk.frames) == pytest.approx(1004, abs=0.1)
    assert sum(chunk.unread_seconds for chunk in chunks) == 0
    (remark,) = chunks[-1].remarks
    assert remark == Remark("left out, because there is no new picture and no sound at 01:20.0-16:20.0", 900.0)


def test_long_gaps_are_skipped(sample: Sample, models: ModelSet) -> None:
    """The clock of this sample jumps from 4 to 1000 s: what lies between costs neither time nor rows."""
    chunks = chunks_of(sample("jumping_clock.ts"), models)
    skipped = [chunk.start_seconds for chunk in chunks if chunk.sound is None and not chunk.frames]
    assert (skipped[0], skipped[-1]) == (80.0, 960.0)
    assert sum(chunk.unread_seconds for chunk in chunks) == 0
    assert chunks[-1].frames and chunks[-1].sound is not None
