"""How the pictures of a video stream are shown: which way up, how wide, in which colours; and FFmpeg's filters for it.

Pictures are stored turned or mirrored (a display matrix), with pixels that are not square (anamorphic films, DVDs), and
with BT.601, BT.709 or HDR colours. All that are made here are upright, have square pixels, and SDR colours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pesearch.media.ffprobe import Section
from pesearch.media.tone_mapping import HDR_TRANSFERS, table_file

_MAX_PIXEL_ASPECT = 4.0
"""A pixel that is wider or narrower than this is a damaged header: 2.0 is the widest of cinema lenses and of DVDs."""

_SQUARE_TOLERANCE = 0.01
"""Pixels that are so nearly square are taken as square: some encoders round the ratio."""

_MATRIX_ROW = re.compile(r"^\s*[0-9a-f]{8}:((?:\s+-?\d+){3})\s*$", re.MULTILINE)

JPEG_COLOURS = "scale=out_color_matrix=bt601:out_range=full,format=yuvj420p"
"""Colours of JPEG, for the end of a filter chain."""

VIDEO_COLOURS = "scale=out_color_matrix=bt709:out_range=limited,format=yuv420p"
"""Colours of H.264 for any player, for the end of a filter chain; COLOUR_TAGS say so in the file."""

COLOUR_TAGS = (
    "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
)  # fmt: skip
"""FFmpeg's options to label H.264 with its colours."""

RGB_COLOURS = "format=rgb24"
"""For the end of a filter chain."""


@dataclass(frozen=True, slots=True)
class Display:
    """How a video stream is shown.

    `width` and `height` are in square pixels, upright. `is_plain` if decoding and a rotation by quarter turns give its
    pictures: they are neither mirrored, nor anamorphic, nor HDR. `transfer` is FFmpeg's name of the transfer function.
    """

    width: int
    height: int
    is_plain: bool
    transfer: str

    def filters(self, width: int, height: int) -> str:
        """FFmpeg's filters from upright pictures, of any size, to those of `width` x `height` in SDR colours.

        FFmpeg itself turns them upright before.
        """
        is_hdr = self.transfer in HDR_TRANSFERS
        tone = f",format=gbrp10le,lut3d=file={_escaped(str(table_file(self.transfer)))}" if is_hdr else ""
        return f"scale={width}:{height}{tone},setsar=1"


def display_of(stream: Section) -> Display:
    """How a video stream is shown, from ffprobe's description."""
    a, b, c, d = _matrix(stream)
    is_on_its_side = a == d == 0
    is_rotated = b * c < 0 if is_on_its_side else b == c == 0 and a * d > 0
    aspect, transfer = _pixel_aspect(stream), stream.text("color_transfer")
    width, height = max(round(stream.count("width") * aspect), 1), stream.count("height")
    if is_on_its_side:
        width, height = height, width
    return Display(width, height, is_rotated and aspect == 1.0 and transfer not in HDR_TRANSFERS, transfer)


def even_size(width: int, height: int) -> tuple[int, int]:
    """The size as H.264 with 4:2:0 chroma subsampling can store it: rounded down to even numbers, at least 2."""
    return max(width // 2 * 2, 2), max(height // 2 * 2, 2)


def _matrix(stream: Section) -> tuple[int, int, int, int]:
    """The upper left part of the display matrix by rows: (x, y) is shown at (a x + c y, b x + d y)."""
    text = next((value for field, value in stream.fields.items() if field.endswith("displaymatrix")), "")
    rows = [[int(number) for number in row.split()] for row in _MATRIX_ROW.findall(text)]
    if len(rows) < 2 or not any((*rows[0][:2], *rows[1][:2])):
        return 1, 0, 0, 1
    return rows[0][0], rows[0][1], rows[1][0], rows[1][1]


def _pixel_aspect(stream: Section) -> float:
    """Width of a pixel in its heights; 1.0 if unknown or nearly so."""
    across, _, down = stream.text("sample_aspect_ratio").partition(":")
    aspect = int(across) / int(down) if across.isdigit() and down.strip("0").isdigit() else 1.0
    is_odd = abs(aspect - 1.0) > _SQUARE_TOLERANCE and 1 / _MAX_PIXEL_ASPECT <= aspect <= _MAX_PIXEL_ASPECT
    return aspect if is_odd else 1.0


def _escaped(value: str) -> str:
    """A value in a filter description: escaped once for the filter's options, and once for the chain."""
    option = re.sub(r"([\\':])", r"\\\1", value)
    return re.sub(r"([\\'\[\],;])", r"\\\1", option)
