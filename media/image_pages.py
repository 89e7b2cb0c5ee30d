"""Which pages of an image file show pictures of their own."""

from __future__ import annotations

import struct
from typing import Any

from PIL import Image

from pesearch.errors import MediaError

MAX_PAGES = 100
"""Pages that are read of a file: a scan of a book chapter."""

DAMAGE = (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, struct.error, MediaError)
"""What Pillow raises for a damaged page."""

_PAGED_FORMATS = ("TIFF", "MPO", "HEIF")
_SUBFILE_TYPE = 254
_REDUCED_OR_MASK = 1 | 4
"""Bits of TIFF's NewSubfileType: a smaller version of another page, or its transparency."""


def page_numbers(image: Image.Image) -> tuple[list[int], int]:
    """The numbers of the pages to be read beside the first, and how many are left out for the limit.

    Layers of a Photoshop file are none, nor are smaller versions of a page: previews, levels of a pyramid, the gain map
    of an HDR photo. The image is back at its first page.
    """
    count = _page_count(image)
    if count < 2 or image.format not in _PAGED_FORMATS:
        return [], 0
    first = image.size
    numbers = [number for number in range(1, count) if _is_page(image, number, first)]
    image.seek(0)
    return numbers[: MAX_PAGES - 1], max(len(numbers) - MAX_PAGES + 1, 0)


def _page_count(image: Image.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except DAMAGE:
        return 1


def _is_page(image: Image.Image, number: int, first: tuple[int, int]) -> bool:
    """Whether a page is a picture of its own; only TIFF says so, elsewhere pages have one size."""
    try:
        image.seek(number)
    except DAMAGE:
        return False
    if image.format != "TIFF":
        return image.size == first
    tags: Any = getattr(image, "tag_v2", {})
    return not tags.get(_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK
