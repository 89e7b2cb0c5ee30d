"""Pictures that Pillow cannot read and FFmpeg can: JPEG XL, OpenEXR, DPX, JPEG-LS, PAM."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import file_url, run_program
from pesearch.media.memory_limits import STILL_LIMITS

_MAX_SIDE = 4096
"""Pixels of the longer side of the decoded picture; larger ones are shrunk by FFmpeg."""

MAX_STILL_BYTES = 4 * _MAX_SIDE**2
"""Of the decoded picture."""


@dataclass(frozen=True, slots=True)
class FFmpegStill:
    """A kind of picture: its name, as that of a codec, the demuxer, and options for its decoder."""

    name: str
    demuxer: str
    options: tuple[str, ...] = ()


_JPEG_XL = FFmpegStill("jpegxl", "jpegxl_pipe")
_DPX = FFmpegStill("dpx", "dpx_pipe")
_STILLS = (
    (b"\x00\x00\x00\x0cJXL ", _JPEG_XL),
    (b"\xff\x0a", _JPEG_XL),
    (b"v/1\x01", FFmpegStill("exr", "exr_pipe", ("-apply_trc", "iec61966_2_1"))),  # its light is linear
    (b"SDPX", _DPX),
    (b"XPDS", _DPX),
    (b"\xff\xd8\xff\xf7", FFmpegStill("jpegls", "jpegls_pipe")),
    (b"P7\n", FFmpegStill("pam", "pam_pipe")),
)


def ffmpeg_still(head: bytes) -> FFmpegStill | None:
    """The kind of picture with these first bytes, if FFmpeg is to read it."""
    return next((still for signature, still in _STILLS if head.startswith(signature)), None)


def still_size(path: Path, still: FFmpegStill) -> tuple[int, int]:
    """Width and height in pixels. Errors: MediaError; FFmpegMissing."""
    options = (*_input(path, still), "-v", "error", "-of", "csv=p=0", "-show_entries", "stream=width,height")
    size = run_program("ffprobe", *options, limits=STILL_LIMITS).stdout.decode(errors="replace")
    width, _, height = size.strip().partition(",")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise MediaError(_reason(still))
    return int(width), int(height)


def decode_still(path: Path, still: FFmpegStill) -> Image.Image:
    """The picture with sides of at most 4096 pixels. Errors: MediaError; FFmpegMissing."""
    shrink = f"scale=w='min(iw,{_MAX_SIDE})':h='min(ih,{_MAX_SIDE})':force_original_aspect_ratio=decrease"
    png = run_program(
        "ffmpeg", "-v", "quiet", "-nostdin", *still.options, *_input(path, still), "-frames:v", "1",
        "-vf", shrink, "-c:v", "png", "-f", "image2pipe", "pipe:1", limits=STILL_LIMITS,
    ).stdout  # fmt: skip
    if not png:
        raise MediaError(_reason(still))
    return Image.open(io.BytesIO(png), formats=("PNG",))


def _input(path: Path, still: FFmpegStill) -> tuple[str | bytes, ...]:
    """The demuxer is given, so that no other can be taken for this file."""
    return "-format_whitelist", still.demuxer, "-f", still.demuxer, "-i", file_url(path)


def _reason(still: FFmpegStill) -> str:
    if still is _JPEG_XL:
        return "damaged image, or an FFmpeg without JPEG XL (libjxl): convert it to JPEG or PNG"
    return f"damaged image: FFmpeg cannot decode this {still.name}"
