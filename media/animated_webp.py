"""Animated WebP as animated PNG, which FFmpeg reads as a film: its own decoder of WebP knows stills only."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Lock

from PIL import Image, ImageSequence

from pesearch.errors import MediaError
from pesearch.media.animation import is_animated_webp
from pesearch.media.file_head import file_status, open_regular, read_head
from pesearch.temporary_folder import TemporaryFolder

_MAX_SIDE = 1280
"""Pixels of the longer side of a frame of the copy: that of a proxy."""

_MAX_TOTAL_PIXELS = 75_000_000
"""Of all frames together, which Pillow holds in memory (300 MB); frames of longer animations are smaller."""

_MAX_COPIES = 32
"""Copies of one process that are kept; they are deleted when it ends."""

_INSTANT_MS, _USUAL_MS = 10, 100
"""Browsers show frames of at most 10 ms for 100 ms."""

_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError)
"""What Pillow raises for a damaged or very large animation."""

_lock = Lock()


def playable(path: Path) -> Path:
    """The file that FFmpeg is to open: the file itself, or the copy of an animated WebP.

    Errors: MediaError when the file cannot be read, or such an animation is damaged or too large.
    """
    if not is_animated_webp(read_head(path, 32)):
        return path
    status = file_status(path)
    name = f"{status.st_dev}_{status.st_ino}_{status.st_size}_{status.st_mtime_ns}.png"
    with _lock:
        copy = _folder() / name
        if not copy.exists():
            _write_copy(path, copy)
        return copy


@cache
def _folder() -> Path:
    folder = TemporaryFolder()
    _folders.append(folder)
    return Path(folder.name)


_folders: list[TemporaryFolder] = []
"""Keeps the folder until the process ends, which deletes it."""


def _write_copy(path: Path, copy: Path) -> None:
    kept = sorted(copy.parent.glob("*.png"), key=lambda each: each.stat().st_mtime_ns)
    for old in kept[: len(kept) + 1 - _MAX_COPIES]:
        old.unlink()
    content = io.BytesIO()
    try:
        with open_regular(path) as file, Image.open(file, formats=("WEBP",)) as image:
            durations: list[int] = []
            first, *others = _frames(image, durations)
            first.save(content, "PNG", save_all=True, append_images=others, duration=durations, compress_level=1)
    except _DAMAGE as error:
        raise MediaError("damaged image: its frames cannot be decoded") from error
    copy.write_bytes(content.getvalue())


def _frames(image: Image.Image, durations_ms: list[int]) -> Iterator[Image.Image]:
    """The frames as RGBA, with their durations appended to the list."""
    count = int(getattr(image, "n_frames", 1))
    width, height = image.size
    if width * height > _MAX_TOTAL_PIXELS:
        raise MediaError(f"animation of {width}x{height} pixels: the limit is {_MAX_TOTAL_PIXELS:,}, save it smaller")
    scale = min(1.0, _MAX_SIDE / max(width, height), math.sqrt(_MAX_TOTAL_PIXELS / (count * width * height)))
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    for frame in ImageSequence.Iterator(image):
        frame.load()
        shown_ms = int(frame.info.get("duration", 0))
        durations_ms.append(shown_ms if shown_ms > _INSTANT_MS else _USUAL_MS)
        yield frame.convert("RGBA").resize(size) if scale < 1 else frame.convert("RGBA")
