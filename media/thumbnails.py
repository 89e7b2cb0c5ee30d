"""Thumbnails as JPEG, of files and of decoded images."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from pesearch.errors import MediaError
from pesearch.media.container import Container
from pesearch.media.display import JPEG_COLOURS
from pesearch.media.ffmpeg import run_program
from pesearch.media.ffprobe import timeout_for
from pesearch.media.image import read_small
from pesearch.media.probe import inspect
from pesearch.media.seeking import shown_filter, start_for
from pesearch.media.sniff import sniff
from pesearch.types import ImageArray, MediaKind

_MAX_HEIGHT_RATIO = 4
"""Largest height of a thumbnail in widths: scans of scrolls can be arbitrarily long."""


def thumbnail(path: Path, at_seconds: float, width: int = 320) -> bytes:
    """The frame of a video shown at a time, or a still image, as JPEG at most `width` wide and 4 times as high.

    Errors: MediaError when the file has no pictures or none can be decoded there; FFmpegMissing.
    """
    if sniff(path) is MediaKind.IMAGE:
        return encode_jpeg(read_small(path, width, _MAX_HEIGHT_RATIO * width), width)
    container = inspect(path)
    if container.display is None:
        raise MediaError("has no pictures")
    for seconds in dict.fromkeys((max(at_seconds, 0.0), 0.0)):
        if jpeg := _frame_as_jpeg(path, container, seconds, width):
            return jpeg
    raise MediaError(f"damaged: no picture can be decoded at {at_seconds:.1f} s")


def _frame_as_jpeg(path: Path, container: Container, seconds: float, width: int) -> bytes:
    """The frame shown at a time; empty if none can be decoded."""
    start, display = start_for(path, container, seconds), container.display
    assert display is not None
    scale = min(1.0, width / display.width, _MAX_HEIGHT_RATIO * width / display.height)
    size = (max(round(side * scale), 1) for side in (display.width, display.height))
    filters = (shown_filter(start, "1"), display.filters(*size), JPEG_COLOURS)
    return run_program(
        "ffmpeg", "-v", "quiet", "-nostdin", "-threads", "1", *start.input_options(container, path),
        "-map", f"0:{container.video_index}", "-frames:v", "1", "-vf", ",".join(filters),
        "-c:v", "mjpeg", "-q:v", "4", "-f", "image2pipe", "pipe:1", timeout_seconds=timeout_for(path),
    ).stdout  # fmt: skip


def encode_jpeg(pixels: ImageArray, width: int) -> bytes:
    """An RGB image uint8 [height, width, 3] as JPEG, at most `width` wide and 4 times as high."""
    image = Image.fromarray(pixels)
    image.thumbnail((width, _MAX_HEIGHT_RATIO * width))
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=85)
    return stored.getvalue()
