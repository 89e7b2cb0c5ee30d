"""Decoding of pictures whose file is cut short, as by a download that stopped."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFile

from pesearch.errors import MediaError
from pesearch.types import Remark

_MIN_SHARE = 0.5
"""A picture of which less is there is refused."""

_END_OF_JPEG = b"\xff\xd9"


def load_truncated(image: Image.Image) -> tuple[Image.Image, Remark]:
    """The rows that are there of an image whose `load` met the end of the file, and the remark on what is not.

    Errors: MediaError when less than half is there.
    """
    assert isinstance(image, ImageFile.ImageFile)
    image.tile = []  # Pillow then takes it as loaded: rows that are missing are 0
    rows, coarse = _rows_there(image), False
    if not rows and image.format in ("JPEG", "MPO") and image.fp is not None:
        image, coarse = _progressive(image), True
        rows = _rows_there(image)
    share = rows / image.height
    if share < _MIN_SHARE:
        raise MediaError("damaged image: it is cut short, less than half of it is there")
    there = image.crop((0, 0, image.width, rows))
    there.format = image.format
    missing = "its details" if coarse else f"its last {1 - share:.0%}"
    return there, Remark(f"the picture is cut short: {missing} are missing")


def _progressive(image: ImageFile.ImageFile) -> ImageFile.ImageFile:
    """A progressive JPEG from the scans that are there, each of which refines the whole picture."""
    assert image.fp is not None
    image.fp.seek(0)
    ended = Image.open(io.BytesIO(image.fp.read() + _END_OF_JPEG), formats=("JPEG",))
    ended.draft(image.mode, image.size)
    ended.load()
    return ended


def _rows_there(image: Image.Image) -> int:
    """The number of rows before those that all equal the last one: a decoder fills what is missing with one value."""
    rows = np.asarray(image).reshape(image.height, -1)
    different = (rows != rows[-1]).any(axis=1).nonzero()[0]
    return int(different[-1]) + 1 if len(different) else 0
