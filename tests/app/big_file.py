"""A playable video of more than 2 GB that takes little disk space: a sparse file with a hole before its media data."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

HOLE_BYTES = 2 << 30


def make_big(source: Path, target: Path) -> None:
    """Write an MP4 again as its index (moov), a free box of 2 GB, and its media data (mdat)."""
    first = target.with_suffix(".first.mp4")
    options = ("-v", "error", "-nostdin", "-i", source, "-c", "copy", "-movflags", "+faststart")
    subprocess.run(["ffmpeg", *options, first], check=True)
    content = first.read_bytes()
    first.unlink()
    media = content.index(b"mdat") - 4
    with target.open("wb") as file:
        file.write(_shifted(content[:media], HOLE_BYTES))
        file.write(HOLE_BYTES.to_bytes(4) + b"free")
        file.seek(media + HOLE_BYTES)
        file.write(content[media:])


def _shifted(head: bytes, by: int) -> bytes:
    """An MP4 index with all chunk offsets shifted: an `stco` box has a count, then 32-bit offsets (ISO 14496-12)."""
    shifted = bytearray(head)
    for found in re.finditer(b"stco", head):
        at = found.end() + 4
        count = int.from_bytes(head[at : at + 4])
        for place in range(at + 4, at + 4 + 4 * count, 4):
            shifted[place : place + 4] = (int.from_bytes(head[place : place + 4]) + by).to_bytes(4)
    return bytes(shifted)
