"""A video of more than 2 GB that plays and takes up little on a disk: a hole lies between its head and its media."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

HOLE_BYTES = 2 << 30


def make_big(source: Path, target: Path) -> None:
    """The same MP4 with its index first, then a box of 2 GB that says that it is free, then the media."""
    first = target.with_suffix(".first.mp4")
    options = ("-v", "error", "-nostdin", "-i", source, "-c", "copy", "-movflags", "+faststart")
    subprocess.run(["ffmpeg", *options, first], check=True)
    content = first.read_bytes()
    first.unlink()
    media = content.index(b"mdat") - 4
    with target.open("wb") as file:
        file.write(_moved(content[:media], HOLE_BYTES))
        file.write(HOLE_BYTES.to_bytes(4) + b"free")
        file.seek(media + HOLE_BYTES)
        file.write(content[media:])


def _moved(head: bytes, by: int) -> bytes:
    """The index of an MP4 whose media is moved: `stco` boxes hold a count and so many 32-bit offsets (ISO 14496-12)."""
    moved = bytearray(head)
    for found in re.finditer(b"stco", head):
        at = found.end() + 4
        count = int.from_bytes(head[at : at + 4])
        for place in range(at + 4, at + 4 + 4 * count, 4):
            moved[place : place + 4] = (int.from_bytes(head[place : place + 4]) + by).to_bytes(4)
    return bytes(moved)
