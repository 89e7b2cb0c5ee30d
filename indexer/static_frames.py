"""Which frames show the same picture as an earlier one, so that the image towers need not encode them.

On slides, screen recordings and clean fixed cameras, most frames of the grid differ by the rounding of the codec.
"""

from __future__ import annotations

import numpy as np

from pesearch.encoders.io_types import ResizedFrame
from pesearch.types import ImageArray

MAX_MEAN_DIFFERENCE = 0.25
"""Of two static frames, in levels of 255: more is a fade, or a drift of the exposure."""

MAX_CELL_DIFFERENCE = 1.0
"""Of each cell: more is a small object, a letter or a digit.

Measured (`benchmarks.static_frames`): of 1,440 frames of 120 films of 720 lines, 700 are not encoded at 224 pixels, and
677 at 336. None is beyond a change, be it an object of 4 pixels, one in faint contrast, or a digit of 12 pixels; only
digits of 9 pixels are missed. Cosine to the own vector, by a random tower of real size: at least 0.99999. Comparing
32 x 32 pixels (mean below 0.5, cells below 6) missed objects, digits and typed letters.
"""

_HALF_CELLS = 112
"""Half cells on each side: a cell is 4 x 4 pixels of a picture of 224. Cells overlap by half, so that the edges of one
set of cells hide no small object."""


class StaticFrames:
    """Replaces each frame of a film that shows the same picture as the last encoded one by that one.

    Not the last one shown: small changes would add up.
    """

    def __init__(self) -> None:
        self._encoded: ResizedFrame | None = None

    def reuse(self, frame: ResizedFrame) -> ResizedFrame:
        """The frame to encode in place of this one: the same object while the picture is static."""
        if self._encoded is None or not _is_static(frame, self._encoded):
            self._encoded = frame
        return self._encoded


def _is_static(frame: ResizedFrame, encoded: ResizedFrame) -> bool:
    """Whether a frame shows the same picture as another, as far as the towers can see."""
    if not _is_same_picture(frame.core, encoded.core):
        return False
    if frame.video is None or frame.video is frame.core or encoded.video is None:
        return True
    return _is_same_picture(frame.video, encoded.video)


def _is_same_picture(one: ImageArray, other: ImageArray) -> bool:
    """For two pictures uint8 [size, size, 3]."""
    difference = np.maximum(one, other) - np.minimum(one, other)
    if difference.mean() >= MAX_MEAN_DIFFERENCE:
        return False
    size = len(one) // _HALF_CELLS
    if size == 0:  # a pixel is larger than a cell: the starter set
        return not difference.any()
    padding = (0, -len(one) % size)
    difference = np.pad(difference, (padding, padding, (0, 0)), mode="edge")
    count = len(difference) // size
    sums = difference.reshape(count, size, count, size * 3).sum(axis=(1, 3), dtype=np.uint32)
    cells = sums[1:, 1:] + sums[1:, :-1] + sums[:-1, 1:] + sums[:-1, :-1]
    return bool(cells.max() < MAX_CELL_DIFFERENCE * 4 * 3 * size**2)
