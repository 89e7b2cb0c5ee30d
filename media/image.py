"""Still images, through PIL."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pesearch.errors import MediaError
from pesearch.media.file_head import read_head
from pesearch.types import ImageArray

MAX_PIXELS = 150_000_000
"""Larger images are refused before a pixel is decoded: 450 MB as RGB, more than phone cameras give in their usual
mode; a PNG of a few kilobytes can claim a thousand times as much."""

_Answer = TypeVar("_Answer")
_PIL = re.compile(r"PIL\.")
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis"})


def read_image(path: Path) -> ImageArray:
    """An image as RGB uint8 [height, width, 3]: rotated by its EXIF orientation, transparency over white.

    For an animation, the first frame. Errors: MediaError.
    """
    with _opened(path) as image:
        return np.array(_over_white(ImageOps.exif_transpose(image)))


def read_small(path: Path, width: int, height: int) -> ImageArray:
    """As `read_image`, shrunk to fit into width x height; large JPEGs are decoded at reduced size.

    Errors: MediaError.
    """
    with _opened(path) as image:
        if image.format in ("JPEG", "MPO"):
            image.thumbnail((height, width) if _is_sideways(image) else (width, height))
        upright = _over_white(ImageOps.exif_transpose(image))
        upright.thumbnail((width, height))
        return np.array(upright)


def image_size(path: Path) -> tuple[str, int, int]:
    """Format name, width and height in pixels after EXIF rotation, without decoding. Errors: MediaError."""
    with _opened(path) as image:
        width, height = image.size
        return (image.format or "").lower(), *((height, width) if _is_sideways(image) else (width, height))


def is_animated(path: Path) -> bool:
    """Whether a GIF has more than one frame. Errors: MediaError."""
    with _opened(path) as image:
        return bool(getattr(image, "is_animated", False))


def examine_image(path: Path, examine: Callable[[Image.Image], _Answer]) -> _Answer:
    """What `examine` answers for the opened image, of which no pixel is decoded. Errors: MediaError."""
    with _opened(path) as image:
        return examine(image)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image; any exception inside becomes a MediaError (damaged files make PIL raise anything)."""
    head = read_head(path)
    _ignore_pil_warnings()
    try:
        with path.open("rb") as file, Image.open(file) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise MediaError(f"image of {width}x{height} pixels: the limit is {MAX_PIXELS:,}")
            yield image
    except (MediaError, KeyboardInterrupt):
        raise
    except Image.DecompressionBombError as error:
        raise MediaError(f"image too large: the limit is {MAX_PIXELS:,} pixels") from error
    except UnidentifiedImageError as error:
        heif = head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS
        raise MediaError("HEIC images are not supported: convert it to JPEG" if heif else "damaged image") from error
    except Exception as error:  # damaged files raise anything in PIL: struct.error, SyntaxError, zlib.error, ...
        raise MediaError("damaged image: it cannot be decoded") from error


def _ignore_pil_warnings() -> None:
    """Silence PIL's warnings about odd files, which are not for the user.

    Permanently rather than with `catch_warnings`, which is not thread-safe; and only once, because each change of the
    filters makes Python repeat warnings that it had shown before.
    """
    if ("ignore", None, Warning, _PIL, 0) not in warnings.filters:
        warnings.filterwarnings("ignore", module=_PIL.pattern)


def _is_sideways(image: Image.Image) -> bool:
    """Whether the EXIF orientation swaps width and height."""
    return image.getexif().get(0x0112, 1) in (5, 6, 7, 8)


def _over_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, layer).convert("RGB")
