"""A stretch of a file as a file of its own, by FFmpeg: its packets copied, or encoded again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import input_url, run_program
from pesearch.media.ffprobe import packets, timeout_for
from pesearch.media.probe import Container, inspect
from pesearch.media.sniff import is_mpeg_stream
from pesearch.media.thumbnails import LEAD_SECONDS

_MARGIN_SECONDS = 0.3
"""To seek so much before a key frame is enough to meet it: packets lie beside those of other streams' later times."""

_SLOWEST_ENCODING = 60.0
"""Seconds that a second of video may take to encode: 8K on two cores."""

_QUALITY = ("-c:v", "libx264", "-preset", "medium", "-crf", "18", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "192k")
_EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2"
"""H.264 with shared colours needs even sizes."""


@dataclass(frozen=True, slots=True)
class ClipFormat:
    """How a clip is stored: the ending of its name, FFmpeg's name of the container, and what is to be said to it."""

    suffix: str
    muxer: str
    options: tuple[str, ...]


_COPY = ("-c", "copy", "-avoid_negative_ts", "make_zero")
_ENCODED_VIDEO = ClipFormat(".mp4", "mp4", (*_QUALITY, "-vf", _EVEN, "-movflags", "+faststart"))
_ENCODED_SOUND = ClipFormat(".flac", "flac", ("-c:a", "flac"))
_COPIED_ANYTHING = ClipFormat(".mkv", "matroska", _COPY)
_COPIED = {
    "mov,mp4,m4a,3gp,3g2,mj2": ClipFormat(".mp4", "mp4", (*_COPY, "-movflags", "+faststart")),
    "flac": _ENCODED_SOUND,  # lossless anyway, and a copied header would claim the length of the whole
    "gif": _ENCODED_VIDEO,  # each picture is a change of those before
    "mp3": ClipFormat(".mp3", "mp3", _COPY),
    "mpeg": ClipFormat(".mpg", "vob", _COPY),
    "mpegts": ClipFormat(".ts", "mpegts", _COPY),
    "ogg": ClipFormat(".ogg", "ogg", _COPY),
    "wav": ClipFormat(".wav", "wav", _COPY),
}
"""By FFmpeg's name of the container that is read; all else goes into Matroska, which holds nearly everything."""

_SPECIAL = {".m4a": "ipod", ".mov": "mov", ".webm": "webm"}
"""Kinds of these containers with muxers of their own."""


def choose_clip_format(path: Path, reencode: bool) -> ClipFormat:
    """How a clip of that file would be stored. Errors: MediaError where the file cannot be read; FFmpegMissing."""
    container = inspect(path)
    if reencode:
        return _ENCODED_SOUND if container.video_index is None else _ENCODED_VIDEO
    suffix = path.suffix.lower()
    if suffix in _SPECIAL and container.format.startswith(("mov,", "matroska,")):
        return ClipFormat(suffix, _SPECIAL[suffix], _COPY)
    return _COPIED.get(container.format, _COPIED_ANYTHING)


def cut_clip(path: Path, start_seconds: float, end_seconds: float, to: Path, how: ClipFormat) -> None:
    """Write the stretch of a file to `to`, which is overwritten. No subtitles or chapters.

    Encoded again, a clip is exact to a frame. Copied, its pictures begin at the last key frame at or before the start.
    Errors: MediaError where the file cannot be read, cut there or stored so; FFmpegMissing.
    """
    container = inspect(path)
    begin, lead = start_seconds, 0.0
    if container.video_index is not None and is_mpeg_stream(path):
        if how.options[: len(_COPY)] == _COPY:
            begin = _key_frame_before(path, container, start_seconds)
        else:
            lead = min(start_seconds, LEAD_SECONDS)
    lasts = end_seconds - begin
    done = run_program(
        "ffmpeg", "-v", "error", "-nostdin", "-y", "-ss", f"{begin - lead:.6f}", "-i", input_url(path),
        *(("-ss", f"{lead:.6f}") if lead else ()), "-t", f"{lasts:.6f}", *_streams(container),
        "-map_chapters", "-1", *how.options, "-f", how.muxer, input_url(to),
        timeout_seconds=timeout_for(path) + lasts * _SLOWEST_ENCODING,
    )  # fmt: skip
    if done.returncode or not to.stat().st_size:
        raise MediaError(f"cannot be cut: {_last_line(done.stderr)}")


def _key_frame_before(path: Path, container: Container, seconds: float) -> float:
    """From where to seek so that pictures begin at or before a time, where the container has no index that tells."""
    earliest = max(seconds - LEAD_SECONDS, 0.0)
    begin = earliest
    origin = container.origin_seconds
    for packet in packets(path, "pts_time,flags", container.video_index, origin + earliest):
        at = (packet.number("pts_time") or origin) - origin
        if at > seconds:
            break
        if packet.text("flags").startswith("K"):
            begin = max(at - _MARGIN_SECONDS, 0.0)
    return begin


def _streams(container: Container) -> list[str]:
    """The streams that are looked at and heard, and no others."""
    indexes = (container.video_index, container.audio_index)
    return [word for index in indexes if index is not None for word in ("-map", f"0:{index}")]


def _last_line(told: bytes) -> str:
    lines = told.decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "FFmpeg does not say why")
