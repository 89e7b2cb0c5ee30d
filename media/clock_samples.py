"""A quick look at the clock of a large MPEG stream: whether it rises from place to place, read at a few places only.

Both transport and program streams hold the headers of their packets (PES, ISO/IEC 13818-1 2.4.3.6) as they are, with a
33-bit timestamp of 90 kHz; a search for these finds one in nearly each 256 KiB.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pesearch.media.file_head import file_status, open_regular

_PLACES = 64
_PLACE_BYTES = 256 << 10
"""What is read at each place: more than a second of most streams."""

_MAX_STEP_BACK_SECONDS = 5.0
"""Packets of different streams that are stored together differ by up to a few seconds."""

_MAX_DIFFERENCE_SECONDS = 60.0
"""Of the length between the first and the last place from the one that FFmpeg claims."""

_MIN_FOUND = _PLACES // 2

_HEADER = re.compile(rb"\x00\x00\x01[\xbd\xc0-\xef]..[\x80-\xbf][\x80-\xff].(.{5})", re.DOTALL)
"""The header of a packet of video or sound that has a timestamp."""


def is_clock_rising(path: Path, claimed_seconds: float) -> bool:
    """Whether the clock of an MPEG stream rises through the file, over about the length that is claimed.

    False where it does not, or if too few timestamps are found to tell. A short part between two samples may be
    overlooked. Errors: MediaError; OSError.
    """
    size_bytes = file_status(path).st_size
    found = []
    with open_regular(path) as file:
        for place in np.linspace(0, max(size_bytes - _PLACE_BYTES, 0), _PLACES).astype(np.int64).tolist():
            file.seek(place)
            if (seconds := _first_timestamp(file.read(_PLACE_BYTES))) is not None:
                found.append(seconds)
    if len(found) < _MIN_FOUND:
        return False
    rises = float(np.diff(found).min()) >= -_MAX_STEP_BACK_SECONDS
    return rises and abs(found[-1] - found[0] - claimed_seconds) <= _MAX_DIFFERENCE_SECONDS


def _first_timestamp(content: bytes) -> float | None:
    for found in _HEADER.finditer(content):
        stamp = found[1]
        if stamp[0] >> 4 in (2, 3) and stamp[0] & stamp[2] & stamp[4] & 1:  # marker bits
            high, middle, low = stamp[0] >> 1 & 7, stamp[1] << 7 | stamp[2] >> 1, stamp[3] << 7 | stamp[4] >> 1
            return (high << 30 | middle << 15 | low) / 90_000
    return None
