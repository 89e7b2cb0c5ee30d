"""Opens picture files as Pillow images: which of its formats are allowed, FFmpeg's and LibRaw's, and the reasons why
not."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

from pesearch.errors import FFmpegMissing, MediaError
from pesearch.media.camera_raw import decode_raw, is_camera_raw
from pesearch.media.ffmpeg_still import decode_still, ffmpeg_still
from pesearch.media.file_head import head_of, open_regular, raise_unreadable
from pesearch.media.optional_libraries import heif_missing, register_heif
from pesearch.media.pillow_limits import MAX_JPEG_PIXELS, MAX_PIXELS, prepare_pillow
from pesearch.media.signatures import HEIF_BRANDS

_FORMATS = (
    "AVIF", "BMP", "DDS", "FITS", "GIF", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "PSD", "QOI", "SGI", "SUN", "TIFF",
    "WEBP",
)  # fmt: skip
"""Pillow's formats that hold pictures and nothing else; EPS, for one, would run Ghostscript."""

TOO_LARGE = "image too large: decoding it takes more memory than one picture may, save it smaller or as JPEG"
"""Why a picture within the limits of pixels is refused."""


@contextmanager
def opened_image(path: Path, *, is_developed: bool = True) -> Iterator[Image.Image]:
    """Open an image; any exception inside becomes a MediaError (damaged files make PIL raise anything).

    A raw picture is developed, or else opened as the TIFF that most are, for its tags.
    """
    prepare_pillow()
    with open_regular(path) as file:
        head = head_of(file)
        try:
            with _image(path, file, head, is_developed) as image:
                yield image
        except (MediaError, FFmpegMissing, KeyboardInterrupt):
            raise
        except Image.DecompressionBombError as error:
            raise MediaError(f"image too large: the limit is {MAX_PIXELS:,} pixels") from error
        except UnidentifiedImageError as error:
            raise _unidentified(head) from error
        except MemoryError as error:
            raise MediaError(TOO_LARGE) from error
        except OSError as error:
            if "memory" in str(error):  # of a decoder of Pillow
                raise MediaError(TOO_LARGE) from error
            if error.errno is not None and error.errno != errno.EINVAL:  # Pillow's have none, or are seeks beyond it
                raise_unreadable(error)
            raise MediaError("damaged image: it cannot be decoded") from error
        except Exception as error:  # PIL raises anything: struct.error, SyntaxError, ...; kept as the cause
            raise MediaError("damaged image: it cannot be decoded") from error


def check_size(image: Image.Image) -> None:
    """Errors: MediaError for an image above the limit of its format."""
    width, height = image.size
    limit = MAX_JPEG_PIXELS if image.format in ("JPEG", "MPO") else MAX_PIXELS
    if width * height > limit:
        raise MediaError(f"image of {width}x{height} pixels: the limit is {limit:,}, save it smaller")


def _image(path: Path, file: IO[bytes], head: bytes, is_developed: bool) -> Image.Image:
    if still := ffmpeg_still(head):
        return decode_still(path, still)
    if is_developed and is_camera_raw(path, head):
        return decode_raw(file)
    tga = ("TGA",) if path.suffix.lower() == ".tga" else ()  # it has no signature
    image = Image.open(file, formats=(*installed_formats(), *tga))
    check_size(image)
    return image


@cache
def installed_formats() -> tuple[str, ...]:
    """The formats that this build of Pillow reads, with pillow-heif's where that is installed."""
    Image.init()
    register_heif()
    return tuple(name for name in (*_FORMATS, "HEIF") if name in Image.OPEN)


def _unidentified(head: bytes) -> MediaError:
    if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS and not register_heif():
        return heif_missing()
    if head[:2] in (b"II", b"MM"):
        return MediaError("damaged image, or a kind of TIFF that is not read: save it as TIFF or PNG of 8 or 16 bits")
    return MediaError("damaged image")
