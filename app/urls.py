"""Where the page finds media and pictures of them on its own server. Files are named by their ids in the library.

The addresses of what is made from a file carry the beginning of its fingerprint: a browser may keep what it got for
ever, and still does not show it for another library's file of the same number.
"""

from __future__ import annotations

from pesearch.types import MediaFile

CLIP, THUMB, WAVE, PROXY, CLIPS = "clip", "thumb", "wave", "proxy", "clips"

VERSION = "v"
WIDTH = "width"

STEP_MS = 100
"""Pictures are taken at multiples of this: moments that begin nearly together share them."""

THUMB_WIDTHS = (320, 640, 1280)

LONGEST_STRETCH_MS = 600_000
"""Of a waveform and of a cut: what is longer is asked for in parts."""


def clip_address(file: MediaFile) -> str:
    """The file itself, by byte ranges: for a browser that can play it (`browser_formats.browser_can_play`)."""
    return f"/{CLIP}/{file.id}?{VERSION}={version(file)}"


def thumb_address(file: MediaFile, at_seconds: float, width: int = THUMB_WIDTHS[0]) -> str:
    """The picture at a time as JPEG, of at most that width, which is one of THUMB_WIDTHS."""
    return f"/{THUMB}/{file.id}/{snapped(round(at_seconds * 1000))}.jpg?{VERSION}={version(file)}&{WIDTH}={width}"


def wave_address(file: MediaFile, start_seconds: float, end_seconds: float) -> str:
    """The waveform of a stretch as PNG with a transparent background, 1200 x 120; at most LONGEST_STRETCH_MS."""
    return f"/{WAVE}/{file.id}/{_stretch(start_seconds, end_seconds)}.png?{VERSION}={version(file)}"


def proxy_address(file: MediaFile, start_seconds: float, end_seconds: float) -> str:
    """A stretch as a browser can play it, where it begins at 0: MP4, or M4A of sound alone; at most LONGEST_STRETCH_MS.

    The first answer takes as long as the cut is made: a quarter of the stretch for HD on a laptop.
    """
    return _stretch(start_seconds, end_seconds).join(around_proxy(file))


def clips_address(archive: str) -> str:
    """The clips of an archive of that name (`archive.pack`)."""
    return f"/{CLIPS}/{archive}.zip"


def around_proxy(file: MediaFile) -> tuple[str, str]:
    """What stands in `proxy_address` before and after the stretch, which is `START-END` in whole milliseconds."""
    ending = "mp4" if file.info.video else "m4a"
    return f"/{PROXY}/{file.id}/", f".{ending}?{VERSION}={version(file)}"


def version(file: MediaFile) -> str:
    """What stands in an address for the content of a file."""
    return file.fingerprint[:12]


def snapped(at_ms: int) -> int:
    """The time of the picture that is taken for a time."""
    return max(at_ms, 0) // STEP_MS * STEP_MS


def stretch_ms(start_seconds: float, end_seconds: float) -> tuple[int, int]:
    """The start and end of a stretch in whole milliseconds: it is no shorter than STEP_MS."""
    start_ms = max(round(start_seconds * 1000), 0)
    return start_ms, max(round(end_seconds * 1000), start_ms + STEP_MS)


def _stretch(start_seconds: float, end_seconds: float) -> str:
    return "{}-{}".format(*stretch_ms(start_seconds, end_seconds))
