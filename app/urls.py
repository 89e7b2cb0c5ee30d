"""URLs of media and of pictures made from them, on the page's own server. Files are named by their ids in the library.

URLs of derived files carry a prefix of the source's fingerprint, so that a browser may cache them forever and never
shows them for a file of another library with the same id.
"""

from __future__ import annotations

from pesearch.types import MediaFile

CLIP = "clip"

THUMB = "thumb"

WAVE = "wave"

PROXY = "proxy"

CLIPS = "clips"

VERSION_PARAMETER = "v"

WIDTH_PARAMETER = "width"

THUMB_STEP_MS = 100
"""Thumbnails are taken at multiples of this, so that moments that start close together share them."""

THUMB_WIDTHS = (320, 640, 1280)

MAX_INTERVAL_MS = 600_000
"""The longest waveform and the longest proxy; longer intervals are requested in parts."""


def clip_url(file: MediaFile) -> str:
    """The file itself, served by byte ranges, for browsers that can play it (`browser_formats.browser_can_play`)."""
    return f"/{CLIP}/{file.id}?{VERSION_PARAMETER}={version(file)}"


def thumb_url(file: MediaFile, at_seconds: float, width: int = THUMB_WIDTHS[0]) -> str:
    """The frame at a time as JPEG, at most `width` pixels wide, which is one of THUMB_WIDTHS."""
    at_ms = thumb_ms(round(at_seconds * 1000))
    return f"/{THUMB}/{file.id}/{at_ms}.jpg?{VERSION_PARAMETER}={version(file)}&{WIDTH_PARAMETER}={width}"


def wave_url(file: MediaFile, start_seconds: float, end_seconds: float) -> str:
    """The waveform of an interval of at most MAX_INTERVAL_MS: PNG, 1200 x 120, with a transparent background."""
    return f"/{WAVE}/{file.id}/{_interval(start_seconds, end_seconds)}.png?{VERSION_PARAMETER}={version(file)}"


def proxy_url(file: MediaFile, start_seconds: float, end_seconds: float) -> str:
    """A playable version of an interval of at most MAX_INTERVAL_MS, starting at time 0: MP4, or M4A without video.

    The first response takes as long as FFmpeg does: a quarter of the interval's length for HD on a laptop.
    """
    return _interval(start_seconds, end_seconds).join(proxy_url_parts(file))


def clips_url(archive: str) -> str:
    """The clip archive of that name (`clip_archive.create_archive`)."""
    return f"/{CLIPS}/{archive}.zip"


def proxy_url_parts(file: MediaFile) -> tuple[str, str]:
    """The parts of a `proxy_url` before and after its interval, which is `START-END` in whole milliseconds."""
    suffix = "mp4" if file.info.video else "m4a"
    return f"/{PROXY}/{file.id}/", f".{suffix}?{VERSION_PARAMETER}={version(file)}"


def version(file: MediaFile) -> str:
    """The prefix of the fingerprint that stands for a file's content in URLs."""
    return file.fingerprint[:12]


def thumb_ms(at_ms: int) -> int:
    """The time of the thumbnail that shows a time: the last multiple of THUMB_STEP_MS that is not after it."""
    return max(at_ms, 0) // THUMB_STEP_MS * THUMB_STEP_MS


def interval_ms(start_seconds: float, end_seconds: float) -> tuple[int, int]:
    """An interval in whole milliseconds, at least THUMB_STEP_MS long."""
    start_ms = max(round(start_seconds * 1000), 0)
    return start_ms, max(round(end_seconds * 1000), start_ms + THUMB_STEP_MS)


def _interval(start_seconds: float, end_seconds: float) -> str:
    return "{}-{}".format(*interval_ms(start_seconds, end_seconds))
