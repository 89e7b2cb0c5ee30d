"""Video frames at given times."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pesearch.errors import MediaError
from pesearch.media.video import FrameReader, read_frames
from pesearch.timeline import grid
from tests.media.broken import hollow, overwrite
from tests.media.samples import SECONDS, step_of

Sample = Callable[[str], Path]

_TIMES = np.array([0.0, 0.625, 2.6, 3.225, 3.85])
"""On two grids: a change of the grid starts FFmpeg again."""

_CONTAINERS = (
    "both.mp4",
    "no_suffix",
    "offset.mkv",
    "offset.ts",
    "late_clock.ts",
    "old.mpg",
    "old.flv",
    "mpeg4.avi",
    "rotated.mp4",
)
_CODECS = ("vp9.webm", "hevc.mp4", "animated.gif")


@pytest.mark.parametrize("name", [*_CONTAINERS, *_CODECS])
def test_the_frame_shown_at_a_time(sample: Sample, name: str) -> None:
    shown = list(read_frames(sample(name), _TIMES))
    assert [frame.time_seconds for frame in shown] == _TIMES.tolist()
    assert [step_of(frame.image) for frame in shown] == [int(seconds * 2) for seconds in _TIMES]
    assert all(frame.image.dtype == np.uint8 and frame.image.flags.c_contiguous for frame in shown)


def test_rotated_video_is_upright(sample: Sample) -> None:
    frame, *_ = read_frames(sample("rotated.mp4"), [0.0])
    assert frame.image.shape == (64, 48, 3)


def test_variable_rate_shows_a_frame_until_the_next(sample: Sample) -> None:
    """25 frames in the first second, then one every 0.4 s: at 1.2, 1.6, 2.0 ..."""
    times = np.arange(0, SECONDS, 0.1) + 0.02
    held = np.where(times < 1, times, np.maximum(np.floor(times / 0.4 + 1e-6) * 0.4, 0.96))
    shown = [step_of(frame.image) for frame in read_frames(sample("variable_rate.mp4"), times)]
    assert shown == [int(seconds * 2 + 1e-6) for seconds in held]


def test_time_at_which_a_frame_appeared(sample: Sample) -> None:
    shown = list(read_frames(sample("variable_rate.mp4"), [0.5, 1.5, 1.55, 2.0]))
    assert [frame.since_seconds for frame in shown] == pytest.approx([0.48, 1.2, 1.2, 2.0], abs=0.03)
    steps = {frame.time_seconds: frame for frame in read_frames(sample("jumping_clock.ts"), grid(0, 1001))}
    assert (steps[800.0].since_seconds, steps[1000.625].since_seconds) == (3.75, 1000.625)  # steps of the grid


@pytest.mark.parametrize("name", ["both.mp4", "offset.mkv", "offset.ts", "old.mpg", "old.flv"])
def test_times_outside_give_the_first_and_the_last_frame(sample: Sample, name: str) -> None:
    shown = list(read_frames(sample(name), [-1.0, 0.0, float(SECONDS), 1e6]))
    assert [step_of(frame.image) for frame in shown] == [0, 0, 2 * SECONDS - 1, 2 * SECONDS - 1]


def test_times_in_any_order_and_repeated(sample: Sample) -> None:
    with FrameReader(sample("both.mp4")) as reader:
        for times in ([3.2, 0.2, 0.2, 1.7], [0.7], [], [2.2]):
            assert [step_of(frame.image) for frame in reader.read(times)] == [int(seconds * 2) for seconds in times]


def test_frames_stay_valid_after_further_reads(sample: Sample) -> None:
    with FrameReader(sample("both.mp4")) as reader:
        pictures = [frame.image for frame in reader.read(grid(0, SECONDS))]
    steps = [step_of(picture) for picture in pictures]
    assert steps == sorted(steps) and steps[0] == 0 and steps[-1] == 2 * SECONDS - 1


def test_names_of_any_bytes(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff\xfe -i http:.mp4")
    shutil.copy(sample("both.mp4"), path)
    assert [step_of(frame.image) for frame in read_frames(path, [1.75])] == [3]


def test_a_broken_packet_costs_only_its_group_of_frames(sample: Sample, tmp_path: Path) -> None:
    """Noise over one group of pictures (1 s each): the other seconds are correct."""
    path = tmp_path / "scratched.avi"
    path.write_bytes(overwrite(sample("mpeg4.avi").read_bytes(), 0.30, 0.34))
    shown = [(frame.time_seconds, step_of(frame.image)) for frame in read_frames(path, grid(0, SECONDS))]
    right = [seconds for seconds, step in shown if step == int(seconds * 2)]
    assert len(right) >= 0.6 * len(grid(0, SECONDS))
    assert max(right) > SECONDS - 1 and min(right) == 0


@pytest.mark.parametrize("name", ["half.mp4", "half.mkv"])
def test_the_rest_of_a_truncated_file_is_read(sample: Sample, name: str) -> None:
    shown = [step_of(frame.image) for frame in read_frames(sample(name), [0.25, 0.75, 1.25])]
    assert shown == [0, 1, 2]


def test_files_without_video_are_refused(sample: Sample) -> None:
    for name in ("tone.wav", "cover.mp3"):
        with pytest.raises(MediaError, match="has no pictures"):
            FrameReader(sample(name))


def test_undecodable_video_is_an_error(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "hollow.mp4"
    path.write_bytes(hollow(sample("silent.mp4").read_bytes()))
    with pytest.raises(MediaError, match="damaged"):
        FrameReader(path)


def test_without_a_gpu_decoder_the_cpu_decodes(sample: Sample) -> None:
    with FrameReader(sample("both.mp4"), "cuda:0") as reader:
        assert [step_of(frame.image) for frame in reader.read([0.2, 1.7])] == [0, 3]
