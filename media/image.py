"""Still pictures, through PIL."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pesearch.errors import MediaError
from pesearch.media.file_head import read_head
from pesearch.types import ImageArray

MAX_PIXELS = 150_000_000
"""Pictures above this are refused before a pixel is decoded: 450 MB as RGB, more than any camera of a phone in
its usual mode; a few kilobytes of PNG can claim a thousand times as much."""

_PIL = re.compile(r"PIL\.")
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis"})


def read_image(path: Path) -> ImageArray:
    """A picture as uint8 [height, width, 3]: turned upright by its EXIF tag, transparency over white.

    Of an animation the first picture. Errors: MediaError.
    """
    with _opened(path) as image:
        return np.array(_over_white(ImageOps.exif_transpose(image)))


def read_small(path: Path, width: int, height: int) -> ImageArray:
    """As `read_image`, made smaller where it is wider or higher; of a large JPEG no more is decoded than that needs.

    Errors: MediaError.
    """
    with _opened(path) as image:
        if image.format in ("JPEG", "MPO"):
            image.thumbnail((height, width) if _is_turned(image) else (width, height))
        upright = _over_white(ImageOps.exif_transpose(image))
        upright.thumbnail((width, height))
        return np.array(upright)


def image_size(path: Path) -> tuple[str, int, int]:
    """Format name, width and height in pixels as shown (upright), without decoding. Errors: MediaError."""
    with _opened(path) as image:
        width, height = image.size
        return (image.format or "").lower(), *((height, width) if _is_turned(image) else (width, height))


def is_animated(path: Path) -> bool:
    """Whether a GIF has more than one picture. Errors: MediaError."""
    with _opened(path) as image:
        return bool(getattr(image, "is_animated", False))


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture; whatever goes wrong inside becomes a MediaError (damaged files raise anything in PIL)."""
    head = read_head(path)
    _hush()
    try:
        with path.open("rb") as file, Image.open(file) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise MediaError(f"a picture of {width}x{height} pixels: more than is read ({MAX_PIXELS:,})")
            yield image
    except (MediaError, KeyboardInterrupt):
        raise
    except Image.DecompressionBombError as error:
        raise MediaError(f"a picture of more pixels than are read ({MAX_PIXELS:,})") from error
    except UnidentifiedImageError as error:
        heif = head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS
        raise MediaError("HEIC pictures cannot be read: save it as JPEG" if heif else "damaged picture") from error
    except Exception as error:
        raise MediaError("damaged picture: it cannot be decoded") from error


def _hush() -> None:
    """PIL's warnings about odd files are not for the user.

    For good rather than with `catch_warnings`, which is not safe in threads; and only once, because each change of
    the filters makes Python show anew what it had shown before.
    """
    if ("ignore", None, Warning, _PIL, 0) not in warnings.filters:
        warnings.filterwarnings("ignore", module=_PIL.pattern)


def _is_turned(image: Image.Image) -> bool:
    """Whether its EXIF tag lays it on a side."""
    return image.getexif().get(0x0112, 1) in (5, 6, 7, 8)


def _over_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, layer).convert("RGB")
