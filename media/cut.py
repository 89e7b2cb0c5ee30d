"""Small pieces of a file for people to look at: thumbnails."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import input_url, output_of
from pesearch.media.image import read_image
from pesearch.media.probe import inspect
from pesearch.media.recognise import recognise
from pesearch.types import MediaKind


def thumbnail(path: Path, at_seconds: float, width: int = 320) -> bytes:
    """One picture of a video (the one shown at a time) or a still image, as JPEG of that width or less.

    Errors: MediaError when the file has no pictures or none can be decoded there; FFmpegMissing.
    """
    if recognise(path) is MediaKind.IMAGE:
        return _small_jpeg(path, width)
    container = inspect(path)
    if container.video_index is None:
        raise MediaError("has no pictures")
    last = max(container.info.duration_seconds - 1.0, 0.0)
    for seconds in dict.fromkeys((max(at_seconds, 0.0), min(max(at_seconds, 0.0), last), 0.0)):
        if jpeg := _frame_as_jpeg(path, container.video_index, seconds, width):
            return jpeg
    raise MediaError(f"damaged: no picture can be decoded at {at_seconds:.1f} s")


def _frame_as_jpeg(path: Path, stream: int, seconds: float, width: int) -> bytes:
    scale = f"scale='min({width},iw)':-2"
    return output_of(
        "ffmpeg", "-v", "quiet", "-nostdin", "-threads", "1", "-ss", f"{seconds:.6f}", "-i", input_url(path),
        "-map", f"0:{stream}", "-frames:v", "1", "-vf", scale, "-c:v", "mjpeg", "-q:v", "4",
        "-f", "image2pipe", "pipe:1",
    ).stdout  # fmt: skip


def _small_jpeg(path: Path, width: int) -> bytes:
    image = Image.fromarray(read_image(path))
    image.thumbnail((width, image.height))
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=85)
    return stored.getvalue()
