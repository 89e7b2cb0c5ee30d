"""Small pictures for people to look at: thumbnails of files, and of pictures that are decoded already."""

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
"""Broadcast has a key frame each second or two; cameras that record transport streams stay under this too."""

_FIRST_PICTURES = "V:0"
"""As FFmpeg names the first video stream that is no cover."""

_HIGHEST = 4
"""A still is made no higher than so many times that width: scanned rolls and pages are as long as they like."""


def thumbnail(path: Path, at_seconds: float, width: int = 320) -> bytes:
    """One picture of a video (the one shown at a time) or a still image, as JPEG of that width or less,
    a still of four times that height or less.

    Errors: MediaError when the file has no pictures or none can be decoded there; FFmpegMissing.
    """
    if sniff(path) is MediaKind.IMAGE:
        return encode_jpeg(read_small(path, width, _HIGHEST * width), width)
    seconds = max(at_seconds, 0.0)
    # Nearly always this is all: a file is looked into only where it gives nothing, which takes longer than the picture.
    return _frame_as_jpeg(path, _FIRST_PICTURES, seconds, width) or _searched(path, seconds, width)


def _searched(path: Path, seconds: float, width: int) -> bytes:
    """The picture at a time, or the last before it, or the first, of the stream that can be decoded."""
    container = inspect(path)
    if container.video_index is None:
        raise MediaError("has no pictures")
    last = max(container.info.duration_seconds - 1.0, 0.0)
    for at in dict.fromkeys((seconds, min(seconds, last), 0.0)):
        if jpeg := _frame_as_jpeg(path, str(container.video_index), at, width):
            return jpeg
    raise MediaError(f"damaged: no picture can be decoded at {seconds:.1f} s")


def _frame_as_jpeg(path: Path, stream: str, seconds: float, width: int) -> bytes:
    """Seek and decode one picture. Streams without an index seek to anywhere, so begin well before and read on."""
    lead = min(seconds, LEAD_SECONDS) if is_mpeg_stream(path) else 0.0
    return run_program(
        "ffmpeg", "-v", "quiet", "-nostdin", "-threads", "1", "-ss", f"{seconds - lead:.6f}", "-i", input_url(path),
        "-ss", f"{lead:.6f}", "-map", f"0:{stream}", "-frames:v", "1",
        "-vf", f"scale='min({width},iw)':-2", "-c:v", "mjpeg", "-q:v", "4", "-f", "image2pipe", "pipe:1",
    ).stdout  # fmt: skip


def encode_jpeg(pixels: ImageArray, width: int) -> bytes:
    """A picture, RGB uint8 [height, width, 3], as JPEG of that width or less, and four times that height or less."""
    image = Image.fromarray(pixels)
    image.thumbnail((width, _HIGHEST * width))
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=85)
    return stored.getvalue()
