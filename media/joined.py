"""Recordings that were joined byte by byte, in formats whose index or header does not tell: chained Ogg and Matroska.

FFmpeg reads on into the next recording (5.1 into one of Matroska), whose timestamps begin again.
"""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO

from pesearch.media.file_head import open_regular

_EBML = b"\x1a\x45\xdf\xa3"
_MAX_ELEMENTS = 1000
"""Two for each recording of a Matroska file, and what editors append: tags and padding."""

_PAGE = re.compile(rb"OggS\0([\0-\7]).{8}(.{4})", re.DOTALL)
"""A page of Ogg: its flags, and the serial number of its stream."""

_IS_FIRST = 2
"""Flag of the first page of a stream: those of all streams come before all other pages."""

_MAX_PAGE_BYTES = 65_307


def is_joined(path: Path, format_name: str) -> bool:
    """Whether another recording follows the first one in an Ogg or Matroska file. Looks at a few places of the file.

    Errors: MediaError; OSError.
    """
    with open_regular(path) as file:
        if format_name == "ogg":
            return _is_chained(file)
        return format_name.startswith("matroska") and count_matroska(file) > 1


def count_matroska(file: BinaryIO) -> int:
    """The number of recordings in a Matroska file. (The end of live recordings is not known.)"""
    at, count = 0, 0
    for _ in range(_MAX_ELEMENTS):
        file.seek(at)
        head = file.read(12)
        count += head.startswith(_EBML)
        id_bytes = _vint_bytes(head[:1])
        size_bytes = _vint_bytes(head[id_bytes : id_bytes + 1])
        unknown = (1 << 7 * size_bytes) - 1
        size = int.from_bytes(head[id_bytes : id_bytes + size_bytes], "big") & unknown
        if not id_bytes or not size_bytes or size == unknown:
            break
        at += id_bytes + size_bytes + size
    return count


def _is_chained(file: BinaryIO) -> bool:
    """Whether the last page of an Ogg file belongs to a stream that does not begin at the start."""
    size_bytes = file.seek(0, 2)
    file.seek(0)
    pages = _PAGE.findall(file.read(_MAX_PAGE_BYTES))
    first = {serial for _, serial in takewhile(lambda page: page[0][0] & _IS_FIRST, pages)}
    file.seek(max(size_bytes - 2 * _MAX_PAGE_BYTES, 0))
    last = _PAGE.findall(file.read())
    return bool(first and last) and last[-1][1] not in first


def _vint_bytes(first: bytes) -> int:
    """The length of a number of variable length, from its first byte; 0 if there is none."""
    return 9 - first[0].bit_length() if first and first[0] else 0
