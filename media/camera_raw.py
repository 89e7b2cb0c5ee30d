"""Raw pictures of cameras (DNG, NEF, CR2, CR3, ARW, ...) through rawpy, that is LibRaw.

The picture that the camera itself developed is taken where it is large enough: it is what the camera's screen shows.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import IO, Any

from PIL import Image, ImageOps

from pesearch.errors import MediaError
from pesearch.media.file_head import open_regular
from pesearch.media.optional_libraries import import_rawpy
from pesearch.media.pillow_limits import prepare_pillow
from pesearch.media.signatures import CAMERA_RAW_PREFIXES, is_other_format, kind_of_head
from pesearch.media.suffixes import is_raw_name

MAX_RAW_PIXELS = 200_000_000
"""The largest sensors have 151 megapixels, and dark pixels around them."""

_MIN_PREVIEW_SIDE = 640
"""Pixels of the longer side of the camera's own JPEG from which it is taken: the towers see at most 448."""

_DNG_VERSION, _SUBFILE_TYPE, _SUB_IFDS = 50706, 254, 330
_REDUCED = 1
_TURNS = {3: Image.Transpose.ROTATE_180, 5: Image.Transpose.ROTATE_90, 6: Image.Transpose.ROTATE_270}
"""LibRaw's `flip`: how the sensor's picture is to be turned."""


def is_camera_raw(path: Path, head: bytes) -> bool:
    """Whether a file with these first bytes is a raw picture: by them, by the tags of a TIFF, or by its name where they
    are unknown."""
    if head[4:12] == b"ftypcrx " or head.startswith(CAMERA_RAW_PREFIXES):
        return True
    if head.startswith((b"II*\0", b"MM\0*")):
        return head[8:10] == b"CR" or is_raw_name(path) or _is_raw_tiff(path)
    return is_raw_name(path) and kind_of_head(head) is None and not is_other_format(head)


def _is_raw_tiff(path: Path) -> bool:
    """Whether the first page of a TIFF says that it is DNG, or no more than the preview of a picture further in."""
    prepare_pillow()
    try:
        with open_regular(path) as file, Image.open(file, formats=("TIFF",)) as image:
            tags: Any = getattr(image, "tag_v2", {})
            is_preview = bool(tags.get(_SUBFILE_TYPE, 0) & _REDUCED) and _SUB_IFDS in tags
            return _DNG_VERSION in tags or is_preview
    except (OSError, ValueError, SyntaxError, TypeError, struct.error):  # damaged: the error comes when it is read
        return False


def decode_raw(file: IO[bytes]) -> Image.Image:
    """The upright picture: the camera's own JPEG, else developed at half its size.

    Errors: MediaError when rawpy is not installed, LibRaw does not know the camera, or the picture is too large.
    """
    rawpy = import_rawpy()
    try:
        with rawpy.imread(file) as raw:
            _check_size(raw)
            preview = _preview(rawpy, raw)
            if preview is not None:
                return preview
            return Image.fromarray(raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8))
    except rawpy.LibRawError as error:
        raise MediaError("raw picture that LibRaw cannot read: convert it to DNG or JPEG") from error


def raw_size(path: Path) -> tuple[int, int]:
    """Width and height of the upright picture in pixels, without developing it. Errors: those of `decode_raw`."""
    rawpy = import_rawpy()
    try:
        with open_regular(path) as file, rawpy.imread(file) as raw:
            _check_size(raw)
            size = int(raw.sizes.iwidth), int(raw.sizes.iheight)
            return size[::-1] if raw.sizes.flip in (5, 6) else size
    except rawpy.LibRawError as error:
        raise MediaError("raw picture that LibRaw cannot read: convert it to DNG or JPEG") from error


def _check_size(raw: Any) -> None:
    """Errors: MediaError for a sensor that no camera has."""
    width, height = int(raw.sizes.raw_width), int(raw.sizes.raw_height)
    if width * height > MAX_RAW_PIXELS:
        raise MediaError(f"raw picture of {width}x{height} pixels: the limit is {MAX_RAW_PIXELS:,}")


def _preview(rawpy: Any, raw: Any) -> Image.Image | None:
    """The camera's own JPEG, upright; None if there is none of at least 640 pixels."""
    try:
        thumbnail = raw.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        return None
    if thumbnail.format != rawpy.ThumbFormat.JPEG:
        return None
    image = Image.open(io.BytesIO(thumbnail.data), formats=("JPEG",))
    if max(image.size) < _MIN_PREVIEW_SIDE:
        return None
    if image.getexif().get(0x0112, 1) != 1:
        return ImageOps.exif_transpose(image)
    turn = _TURNS.get(raw.sizes.flip)
    return image if turn is None else image.transpose(turn)
