"""Format detection by the content of a file.

The first bytes are cheap enough for every file of a folder and give the usual kind. Where they are unknown but the name
promises media, FFmpeg or Pillow have the last word. Which streams a container holds (an .mp4 may be audio only) tells
only `probe`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.media.demuxers import MIN_PROBE_SCORE
from pesearch.media.ffprobe import ffprobe
from pesearch.media.file_head import file_status, read_head
from pesearch.media.signatures import is_other_format, is_transport_stream, kind_of_head
from pesearch.media.suffixes import may_have_media_name, promised_kind
from pesearch.types import MediaKind


def sniff(path: Path) -> MediaKind | None:
    """The most likely kind of a file by its content; None for formats that are not media.

    A file whose name promises media may start FFmpeg (30 ms) unless its first bytes are a known signature. Errors:
    MediaError when the file is empty, unreadable, missing, or not a regular file; FFmpegMissing.
    """
    head = read_head(path)
    kind = kind_of_head(head)
    if kind is MediaKind.IMAGE:
        return _kind_of_picture(path, head)
    if kind is not None or not may_have_media_name(path):
        return kind
    if promised_kind(path) is MediaKind.IMAGE:
        from pesearch.media.image import is_image

        return MediaKind.IMAGE if is_image(path) else None
    if is_other_format(head):
        return None
    status = file_status(path)
    return _kind_by_ffmpeg(path.absolute(), status.st_size, status.st_mtime_ns)


def is_mpeg_stream(path: Path) -> bool:
    """Whether it is an MPEG program or transport stream, which has no index: a seek is inexact. Errors: those of
    `sniff`."""
    head = read_head(path)
    return head.startswith(b"\x00\x00\x01\xba") or is_transport_stream(head)


def _kind_of_picture(path: Path, head: bytes) -> MediaKind:
    """Moving pictures are films: animations, and raw streams of JPEG pictures, which only their name tells."""
    from pesearch.media.animation import is_animated

    is_stream = head.startswith(b"\xff\xd8\xff") and path.suffix.lower() in (".mjpeg", ".mjpg")
    return MediaKind.VIDEO if is_stream or is_animated(path, head) else MediaKind.IMAGE


@lru_cache(maxsize=1024)
def _kind_by_ffmpeg(path: Path, size_bytes: int, modified_ns: int) -> MediaKind | None:
    """The kind by FFmpeg's own detection; None where it is unsure, or where no stream has a known codec."""
    try:
        sections = ffprobe(path, "format=probe_score:stream=codec_type,codec_name")
    except MediaError:
        return None
    if not any(section.count("probe_score") >= MIN_PROBE_SCORE for section in sections if section.name == "format"):
        return None
    kinds = {each.text("codec_type") for each in sections if each.text("codec_name") not in ("", "unknown", "none")}
    if "video" in kinds:
        return MediaKind.VIDEO
    return MediaKind.AUDIO if "audio" in kinds else None
