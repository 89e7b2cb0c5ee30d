"""Thumbnails as JPEG, of files and of decoded images."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import input_url, run_program
from pesearch.media.image import read_small
from pesearch.media.probe import inspect
from pesearch.media.sniff import is_mpeg_stream, sniff
from pesearch.types import ImageArray, MediaKind

LEAD_SECONDS = 5.0
"""Decoding of MPEG streams starts this long before a time. Longer than the key frame interval: broadcast has one every
1 to 2 s, and cameras that record transport streams stay below this too."""

_FIRST_VIDEO = "V:0"
"""FFmpeg's specifier of the first video stream that is not cover art."""

_MAX_HEIGHT_RATIO = 4
"""Largest height of a still's thumbnail in widths: scans of scrolls can be arbitrarily long."""


def thumbnail(path: Path, at_seconds: float, width: int = 320) -> bytes:
    """The frame of a video shown at a time, or a still image, as JPEG at most `width` wide; stills are at most 4 times
    as high.

    Errors: MediaError when the file has no pictures or none can be decoded there; FFmpegMissing.
    """
    if sniff(path) is MediaKind.IMAGE:
        return encode_jpeg(read_small(path, width, _MAX_HEIGHT_RATIO * width), width)
    seconds = max(at_seconds, 0.0)
    # Probing takes longer than decoding a frame, so it is only done if this gives nothing.
    return _frame_as_jpeg(path, _FIRST_VIDEO, seconds, width) or _nearest_frame(path, seconds, width)


def _nearest_frame(path: Path, seconds: float, width: int) -> bytes:
    """The frame at a time, else one near the end, else the first, of the stream that can be decoded."""
    container = inspect(path)
    if container.video_index is None:
        raise MediaError("has no pictures")
    last = max(container.info.duration_seconds - 1.0, 0.0)
    for at in dict.fromkeys((seconds, min(seconds, last), 0.0)):
        if jpeg := _frame_as_jpeg(path, str(container.video_index), at, width):
            return jpeg
    raise MediaError(f"damaged: no picture can be decoded at {seconds:.1f} s")


def _frame_as_jpeg(path: Path, stream: str, seconds: float, width: int) -> bytes:
    """Seek and decode one frame. Seeks in MPEG streams are inexact, so start early and decode up to the time."""
    lead = min(seconds, LEAD_SECONDS) if is_mpeg_stream(path) else 0.0
    return run_program(
        "ffmpeg", "-v", "quiet", "-nostdin", "-threads", "1", "-ss", f"{seconds - lead:.6f}", "-i", input_url(path),
        "-ss", f"{lead:.6f}", "-map", f"0:{stream}", "-frames:v", "1",
        "-vf", f"scale='min({width},iw)':-2", "-c:v", "mjpeg", "-q:v", "4", "-f", "image2pipe", "pipe:1",
    ).stdout  # fmt: skip


def encode_jpeg(pixels: ImageArray, width: int) -> bytes:
    """An RGB image uint8 [height, width, 3] as JPEG, at most `width` wide and 4 times as high."""
    image = Image.fromarray(pixels)
    image.thumbnail((width, _MAX_HEIGHT_RATIO * width))
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=85)
    return stored.getvalue()
