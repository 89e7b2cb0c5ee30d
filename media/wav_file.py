"""WAV files beyond 4 GiB whose size field wrapped around."""

from __future__ import annotations

import struct
from pathlib import Path

_CHUNK = struct.Struct("<4sI")
_UNKNOWN_SIZES = (0, 0xFFFF_FFFF)
"""Written by recorders that were stopped, and by streams: FFmpeg then reads to the end of the file."""

_MAX_CHUNKS = 64
"""Chunks before the samples; recorders write up to ten."""


def has_wrapped_size(path: Path) -> bool:
    """Whether the samples of a WAV file go on after the size that its header states.

    What follows the stated size is then no chunk: no name of four letters, or a size beyond the end of the file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head[:4] != b"RIFF" or head[8:] != b"WAVE":
                return False
            end = path.stat().st_size
            for _ in range(_MAX_CHUNKS):
                name, size = _CHUNK.unpack(file.read(_CHUNK.size))
                after = file.tell() + size + size % 2
                if name == b"data":
                    file.seek(after)
                    is_stated = size not in _UNKNOWN_SIZES and after < end
                    return is_stated and not _is_chunk(file.read(_CHUNK.size), end - after)
                file.seek(after)
    except (OSError, struct.error):
        pass
    return False


def _is_chunk(head: bytes, remaining_bytes: int) -> bool:
    if len(head) < _CHUNK.size:  # padding
        return True
    name, size = head[:4], int.from_bytes(head[4:], "little")
    return name.isascii() and name.decode("ascii").isprintable() and size <= remaining_bytes
