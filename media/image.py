"""Still images as RGB: upright, in sRGB, page by page, no larger than the models need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps

from pesearch.errors import MediaError
from pesearch.media.camera_raw import is_camera_raw, raw_size
from pesearch.media.ffmpeg_still import ffmpeg_still, still_size
from pesearch.media.file_head import open_regular, read_head
from pesearch.media.image_colors import to_srgb
from pesearch.media.image_opening import check_size, opened_image
from pesearch.media.image_pages import DAMAGE, MAX_PAGES, page_numbers
from pesearch.media.image_truncation import load_truncated
from pesearch.media.signatures import is_other_format
from pesearch.types import ImageArray, Remark

_MIN_SIDE = 1024
"""Pixels of the shorter side down to which larger images are shrunk while they are decoded: more than twice what the
largest tower takes (448), and than the preview shows (640)."""

_Answer = TypeVar("_Answer")
_ORIENTATION = 0x0112
_SELF_TURNING = ("TIFF", "HEIF")
"""Formats whose plugins turn the picture when they load it, and give its size as it is shown."""


class StillReader:
    """The pages of one image file, each RGB uint8 [height, width, 3] as a viewer shows it.

    Rotated by the EXIF orientation, in sRGB, transparency over white, greys of 16 bits and more by their range; at most
    2047 pixels on the shorter side. `remarks` are complete when all pages were read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.remarks: tuple[Remark, ...] = ()

    def pages(self) -> Iterator[ImageArray]:
        """The first page, then others of their own: pages of a scan, pictures of an MPO or a HEIF.

        Errors: MediaError when the first page cannot be read; others that cannot are a remark.
        """
        with opened_image(self._path) as image:
            numbers, left_out = page_numbers(image)
            yield self._page(image)
            for number in numbers:
                try:
                    image.seek(number)
                    check_size(image)
                    page = self._page(image)
                except DAMAGE:
                    self.remarks += (Remark(f"page {number + 1} is damaged"),)
                    continue
                yield page
        if left_out:
            self.remarks += (Remark(f"{left_out:,} of its pages are not searched: the limit is {MAX_PAGES}"),)

    def _page(self, image: Image.Image) -> ImageArray:
        pixels, remark = _load(image, _factor(image.size))
        self.remarks += (remark,) if remark else ()
        return np.array(pixels)


def read_image(path: Path) -> ImageArray:
    """The first page of an image as `StillReader` gives it. Errors: MediaError."""
    return next(StillReader(path).pages())


def read_small(path: Path, width: int, height: int) -> ImageArray:
    """As `read_image`, shrunk to fit into width x height. Errors: MediaError."""
    with opened_image(path) as image:
        across, down = (height, width) if _is_sideways(image) else (width, height)
        pixels, _ = _load(image, max(int(max(image.width / across, image.height / down)), 1))
        pixels.thumbnail((width, height))
        return np.array(pixels)


def image_size(path: Path) -> tuple[str, int, int]:
    """Format name, width and height in pixels as shown, without decoding. Errors: MediaError; FFmpegMissing."""
    head = read_head(path)
    if still := ffmpeg_still(head):
        return still.name, *still_size(path, still)
    if is_camera_raw(path, head):
        with open_regular(path) as file:
            return "raw", *raw_size(file)
    with opened_image(path) as image:
        width, height = image.size
        return (image.format or "").lower(), *((height, width) if _is_sideways(image) else (width, height))


def examine_image(path: Path, examine: Callable[[Image.Image], _Answer]) -> _Answer:
    """What `examine` answers for the opened image, of which no pixel is decoded; of a raw picture for its first
    directory. Errors: MediaError, also for raw pictures that are no TIFF."""
    with opened_image(path, is_developed=False) as image:
        return examine(image)


def is_image(path: Path) -> bool:
    """Whether a file of unknown first bytes is an image by Pillow, such as PPM, PCX or TGA. Errors: MediaError."""
    head = read_head(path)
    if is_camera_raw(path, head) or ffmpeg_still(head):
        return True
    if is_other_format(head) and not (head[:1] == b"P" and head[1:2] in b"1234567fF"):
        return False
    try:
        with opened_image(path):
            return True
    except MediaError:
        return False


def _factor(size: tuple[int, int]) -> int:
    """By how much an image is shrunk while it is decoded."""
    return max(min(size) // _MIN_SIDE, 1)


def _load(image: Image.Image, factor: int) -> tuple[Image.Image, Remark | None]:
    """The upright sRGB picture, its sides divided by about `factor`, and what of it is missing."""
    whole = image.width
    image.draft(image.mode, (image.width // factor, image.height // factor))
    remark = None
    try:
        image.load()
    except OSError as error:
        if "truncated" not in str(error):
            raise
        image, remark = load_truncated(image)
    rest = factor * image.width // whole
    turned = image.format in _SELF_TURNING
    small = _reduced(image, rest) if rest > 1 else image
    upright = small if turned else ImageOps.exif_transpose(small)
    return to_srgb(upright), remark


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """Means of squares of factor x factor pixels; of modes that Pillow cannot average, every so many pixels."""
    if image.mode in ("1", "P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode.startswith("I;16"):
        reduced = Image.fromarray(np.ascontiguousarray(np.asarray(image)[::factor, ::factor]))
    else:
        reduced = image.reduce(factor)
    reduced.info = image.info
    return reduced


def _is_sideways(image: Image.Image) -> bool:
    """Whether the EXIF orientation is still to swap width and height."""
    exif = Image.Image.getexif(image)  # that of a PNG would decode the whole file
    return image.format not in _SELF_TURNING and exif.get(_ORIENTATION, 1) in (5, 6, 7, 8)
