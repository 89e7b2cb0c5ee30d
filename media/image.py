"""Still images as RGB: upright, in sRGB, page by page, no larger than the models need."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from PIL import Image

from pesearch.errors import MediaError
from pesearch.media.camera_raw import is_camera_raw, raw_size
from pesearch.media.decode_budget import BUDGET, MAX_DECODED_BYTES
from pesearch.media.ffmpeg_still import MAX_STILL_BYTES, ffmpeg_still, still_size
from pesearch.media.file_head import read_head
from pesearch.media.image_decoding import Fit, decode_pages, is_sideways, shrink_factor
from pesearch.media.image_opening import TOO_LARGE, opened_image
from pesearch.media.image_process import MAX_PROCESS_BYTES, decode_in_process
from pesearch.media.image_weight import RAW_BYTES_PER_PIXEL, decoded_bytes
from pesearch.media.signatures import is_other_format
from pesearch.types import ImageArray, Remark

_Answer = TypeVar("_Answer")


class StillReader:
    """The pages of one image file, each RGB uint8 [height, width, 3] as a viewer shows it.

    Rotated by the EXIF orientation, in sRGB, transparency over white, greys of 16 bits and more by their range; at most
    1279 pixels on the shorter side, and 16 million. `remarks` are complete when all pages were read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.remarks: tuple[Remark, ...] = ()

    def pages(self) -> Iterator[ImageArray]:
        """The first page, then others of their own: pages of a scan, pictures of an MPO or a HEIF.

        Errors: MediaError when the first page cannot be read; others that cannot are a remark.
        """
        for each in _decoded(self._path):
            if isinstance(each, Remark):
                self.remarks += (each,)
            else:
                yield each


def read_image(path: Path) -> ImageArray:
    """The first page of an image as `StillReader` gives it. Errors: MediaError."""
    return _first_page(path, None)


def read_small(path: Path, width: int, height: int) -> ImageArray:
    """As `read_image`, shrunk to fit into width x height. Errors: MediaError."""
    return _first_page(path, (width, height))


def _first_page(path: Path, fit: Fit | None) -> ImageArray:
    with closing(_decoded(path, fit)) as decoded:
        return next(each for each in decoded if not isinstance(each, Remark))


def _decoded(path: Path, fit: Fit | None = None) -> Generator[ImageArray | Remark, None, None]:
    """As `decode_pages`, within the memory of all decoders: a large picture alone, in a process of its own."""
    size_bytes = _weight(path, fit)
    with BUDGET.hold(size_bytes):
        if size_bytes <= MAX_DECODED_BYTES:
            yield from decode_pages(path, fit)
            return
        try:
            yield from decode_in_process(path, fit)
        except MediaError as error:
            if size_bytes <= MAX_PROCESS_BYTES or isinstance(error.__cause__, OSError):
                raise
            raise MediaError(TOO_LARGE) from error  # some decoders call that damage


def _weight(path: Path, fit: Fit | None) -> int:
    """The bytes that decoding the first page takes; nothing is decoded. Errors: MediaError."""
    head = read_head(path)
    if ffmpeg_still(head):
        return MAX_STILL_BYTES
    if is_camera_raw(path, head):
        width, height = raw_size(path)
        return RAW_BYTES_PER_PIXEL * width * height
    with opened_image(path) as image:
        return decoded_bytes(image, shrink_factor(image, fit))


def image_size(path: Path) -> tuple[str, int, int]:
    """Format name, width and height in pixels as shown, without decoding. Errors: MediaError; FFmpegMissing."""
    head = read_head(path)
    if still := ffmpeg_still(head):
        return still.name, *still_size(path, still)
    if is_camera_raw(path, head):
        return "raw", *raw_size(path)
    with opened_image(path) as image:
        width, height = image.size
        return (image.format or "").lower(), *((height, width) if is_sideways(image) else (width, height))


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
