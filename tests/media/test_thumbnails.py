"""Thumbnails of videos and stills."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pesearch.errors import MediaError
from pesearch.media.thumbnails import thumbnail
from tests.media.samples import step_of

Sample = Callable[[str], Path]


def _picture(jpeg: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = Image.open(io.BytesIO(jpeg))
    assert image.format == "JPEG"
    return np.array(image.convert("RGB"))


@pytest.mark.parametrize("name", ["both.mp4", "offset.ts", "vp9.webm", "animated.gif", "rotated.mp4"])
def test_the_frame_shown_at_a_time(sample: Sample, name: str) -> None:
    picture = _picture(thumbnail(sample(name), 2.3))
    assert step_of(picture) == 4
    assert picture.shape == ((64, 48, 3) if name == "rotated.mp4" else (48, 64, 3))


def test_width_is_limited(sample: Sample, tmp_path: Path) -> None:
    assert _picture(thumbnail(sample("both.mp4"), 0, width=32)).shape == (24, 32, 3)
    path = tmp_path / "still.png"
    Image.new("RGB", (400, 200), "red").save(path)
    assert _picture(thumbnail(path, 0)).shape == (160, 320, 3)


def test_the_height_of_a_still_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "scroll.png"
    Image.new("RGB", (30, 70_000), "red").save(path)
    assert _picture(thumbnail(path, 0)).shape[0] == 4 * 320


def test_beyond_the_end_a_frame_near_the_end(sample: Sample) -> None:
    assert step_of(_picture(thumbnail(sample("both.mp4"), 60))) >= 6


def test_files_without_video_are_refused(sample: Sample) -> None:
    with pytest.raises(MediaError, match="has no pictures"):
        thumbnail(sample("cover.mp3"), 0)
