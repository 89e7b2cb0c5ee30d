"""Decodes the pages of an image file: upright, in sRGB, no larger than the models need, in strips where it can."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, Jpeg2KImagePlugin

from pesearch.media.image_colors import to_srgb
from pesearch.media.image_opening import check_size, opened_image
from pesearch.media.image_pages import DAMAGE, MAX_PAGES, page_numbers
from pesearch.media.image_truncation import load_truncated
from pesearch.types import ImageArray, Remark

MIN_SIDE = 640
"""Pixels of the shorter side down to which larger images are shrunk while they are decoded: the width of a preview, and
nearly twice what the largest tower takes (336).

Measured on JPEGs of 12 to 48 megapixels against their full decoding, with the starter tower and a random one of 224
pixels: cosine at least 0.9996 on text of 12 pixels, foliage, shapes and noise of film, 0.997 on white noise. Patterns
that are flat grey at the size of the tower differ by their rounding in any decoding: down to 0.84, and with 1024 pixels
to 0.26."""

_MAX_PAGE_PIXELS = 16 << 20
"""Of a decoded page: very long pictures are shrunk further."""

_STRIP_PIXELS = 1 << 20
"""Pixels that are converted at a time."""

_HEAD_BYTES = 64 << 10
_CODING_STYLE, _LEVELS_AT = b"\xff\x52\x00", 9
"""The marker of JPEG 2000's coding style, and where the number of levels follows."""

ORIENTATION = 0x0112
SELF_TURNING = ("TIFF", "HEIF")
"""Formats whose plugins turn the picture when they load it, and give its size as it is shown."""

Fit = tuple[int, int]
"""Width and height of a box that a picture is to fit into."""


def decode_pages(path: Path, fit: Fit | None = None) -> Iterator[ImageArray | Remark]:
    """The pages of an image, RGB uint8 [height, width, 3], and remarks on what is missing of them.

    With `fit` only the first page, shrunk into this box. Errors: MediaError when the first page cannot be read; others
    that cannot are a remark.
    """
    with opened_image(path) as image:
        numbers, left_out = ([], 0) if fit else page_numbers(image)
        yield from _page(image, fit)
        for number in numbers:
            try:
                image.seek(number)
                check_size(image)
                page = list(_page(image, None))
            except DAMAGE:
                yield Remark(f"page {number + 1} is damaged")
                continue
            yield from page
    if left_out:
        yield Remark(f"{left_out:,} of its pages are not searched: the limit is {MAX_PAGES}")


def shrink_factor(image: Image.Image, fit: Fit | None) -> int:
    """By how much each side of an image is divided while it is decoded."""
    width, height = image.size
    if fit is not None:
        across, down = fit[::-1] if is_sideways(image) else fit
        return max(int(max(width / across, height / down)), 1)
    return max(min(width, height) // MIN_SIDE, math.ceil(math.sqrt(width * height / _MAX_PAGE_PIXELS)), 1)


def is_sideways(image: Image.Image) -> bool:
    """Whether the EXIF orientation is still to swap width and height."""
    exif = Image.Image.getexif(image)  # that of a PNG would decode the whole file
    return image.format not in SELF_TURNING and exif.get(ORIENTATION, 1) in (5, 6, 7, 8)


def wavelet_levels(image: Image.Image, factor: int) -> int:
    """How many levels of a JPEG 2000 are left out, each of which halves the sides. ISO/IEC 15444-1 A.6.1."""
    file = getattr(image, "fp", None)
    if image.format != "JPEG2000" or file is None:
        return 0
    at = file.tell()
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(at)
    style = head.find(_CODING_STYLE)
    stored = head[style + _LEVELS_AT] if 0 <= style < len(head) - _LEVELS_AT else 0
    return min(stored, max(factor, 1).bit_length() - 1)


def _page(image: Image.Image, fit: Fit | None) -> Iterator[ImageArray | Remark]:
    pixels, remark = _load(image, shrink_factor(image, fit))
    if fit is not None:
        pixels.thumbnail(fit)
    yield np.array(pixels)
    if remark is not None:
        yield remark


def _load(image: Image.Image, factor: int) -> tuple[Image.Image, Remark | None]:
    """The upright sRGB picture, its sides divided by about `factor`, and what of it is missing."""
    whole = image.width
    image.draft(image.mode, (image.width // factor, image.height // factor))
    if isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile):
        image.reduce = wavelet_levels(image, factor)
    remark = None
    try:
        image.load()
    except OSError as error:
        if "truncated" not in str(error):
            raise
        image, remark = load_truncated(image)
    rest = factor * image.width // whole
    turned = image.format in SELF_TURNING
    small = _reduced(image, rest) if rest > 1 else image
    upright = small if turned else ImageOps.exif_transpose(small)
    return to_srgb(upright), remark


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """Means of squares of factor x factor pixels; of modes that Pillow cannot average, every so many pixels.

    Strip by strip: Pillow would convert all of it first.
    """
    rows = max(_STRIP_PIXELS // image.width // factor, 1) * factor
    reduced: Image.Image | None = None
    for top in range(0, image.height, rows):
        strip = _reduced_strip(image.crop((0, top, image.width, min(top + rows, image.height))), factor)
        if reduced is None:
            reduced = Image.new(strip.mode, (strip.width, -(-image.height // factor)))
        reduced.paste(strip, (0, top // factor))
    assert reduced is not None
    reduced.info = image.info
    return reduced


def _reduced_strip(strip: Image.Image, factor: int) -> Image.Image:
    if strip.mode in ("1", "P", "PA"):
        strip = strip.convert("RGBA" if strip.has_transparency_data else "RGB")
    if strip.mode.startswith("I;16"):
        return Image.fromarray(np.ascontiguousarray(np.asarray(strip)[::factor, ::factor]))
    return strip.reduce(factor)
