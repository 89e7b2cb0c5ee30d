"""Frames that show the same picture as the last encoded one."""

from __future__ import annotations

import numpy as np
import pytest

from pesearch.encoders.io_types import ResizedFrame
from pesearch.indexer.static_frames import StaticFrames
from pesearch.types import ImageArray


def _picture(size: int) -> ImageArray:
    return np.random.default_rng(0).integers(20, 230, (size, size, 3), dtype=np.uint8)


def _changed(picture: ImageArray, top: int, left: int, side: int, levels: int) -> ImageArray:
    changed = picture.copy()
    changed[top : top + side, left : left + side] += np.uint8(levels)
    return changed


def _is_reused(before: ImageArray, after: ImageArray) -> bool:
    frames, first = StaticFrames(), ResizedFrame(before, None)
    assert frames.reuse(first) is first
    return frames.reuse(ResizedFrame(after, None)) is first


@pytest.mark.parametrize("size", [224, 336, 384])
def test_the_rounding_of_a_codec_makes_no_new_frame(size: int) -> None:
    picture = _picture(size)
    rounded = picture.copy()
    rounded[::3, ::4] += 1
    assert _is_reused(picture, picture.copy())
    assert _is_reused(picture, rounded)


@pytest.mark.parametrize("size", [224, 336, 400])
@pytest.mark.parametrize("offset", range(4))
def test_a_small_change_anywhere_is_a_new_frame(size: int, offset: int) -> None:
    """As seen by the largest tower: a letter of 4 pixels, in low contrast, and a point of light."""
    picture = _picture(size)
    for place in (offset, size // 2 + offset, size - 4 - offset):
        assert not _is_reused(picture, _changed(picture, place, place, 4, 5))
        assert not _is_reused(picture, _changed(picture, place, offset, 2, 20))


def test_a_slow_fade_does_not_add_up() -> None:
    """Each frame differs from the one before by a tenth of a level."""
    picture, frames = _picture(224), StaticFrames()
    order = np.random.default_rng(1).permutation(224 * 224)
    faded = [picture.reshape(-1, 3).copy() for _ in range(10)]
    for tenth, pixels in enumerate(faded):
        pixels[order[: tenth * len(order) // 10]] += 1
    shown = [ResizedFrame(pixels.reshape(picture.shape), None) for pixels in faded]
    encoded = [frames.reuse(frame) for frame in shown]
    assert [frame is reused for frame, reused in zip(shown, encoded, strict=True)] == [True, False, False] * 3 + [True]


def test_small_towers_reuse_equal_pictures_only() -> None:
    picture = _picture(64)
    assert _is_reused(picture, picture.copy())
    assert not _is_reused(picture, _changed(picture, 5, 5, 1, 1))


def test_both_towers_must_see_the_same_picture() -> None:
    picture, frames = _picture(224), StaticFrames()
    first = ResizedFrame(picture, _picture(336))
    assert frames.reuse(first) is first
    assert frames.reuse(ResizedFrame(picture.copy(), _picture(336))) is first
    other = ResizedFrame(picture.copy(), _changed(_picture(336), 100, 100, 20, 10))
    assert frames.reuse(other) is other
