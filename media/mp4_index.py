"""How many frames an MP4 or QuickTime file claims: FFmpeg makes room for all of them before it reads one."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from pesearch.media.decode_budget import DecodeBudget
from pesearch.media.file_head import open_regular, raise_unreadable

INDEX_BUDGET = DecodeBudget(512 << 20)
"""Of the indexes that FFmpeg's programs hold at a time while files are inspected."""

READING_BUDGET = DecodeBudget(512 << 20)
"""Of the indexes of files that are being decoded. A film of two hours takes 40 MB."""

_BYTES_PER_FRAME = 80
"""Measured with FFmpeg 5.1: 70 for a film with B-frames and an edit list."""

_FOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf")
_COUNTS = (b"stsz", b"stz2")
_FRAGMENT = b"trun"
_MAX_BOXES = 10_000
"""Of a file: a fragmented one has 20 a second. Fragments beyond are taken to be like those before."""


def claimed_index_bytes(path: Path) -> int:
    """The memory that FFmpeg's index of a file may take; 0 for one that is no MP4. Errors: MediaError."""
    with open_regular(path) as file:
        try:
            if file.read(8)[4:] not in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
                return 0
            return _BYTES_PER_FRAME * _frame_count(file, os.fstat(file.fileno()).st_size)
        except OSError as error:
            raise_unreadable(error)


def _frame_count(file: BinaryIO, size_bytes: int) -> int:
    """The number of frames of all tracks, in the tables of a film and in its fragments. Samples of sound without
    compression have no entries of their own."""
    of_tables, of_fragments = 0, 0
    at, is_sound, is_each_sample = 0, False, False
    for _ in range(_MAX_BOXES):
        file.seek(at)
        head = file.read(24).ljust(24, b"\0")
        length, name = struct.unpack(">I4s", head[:8])
        if length == 1:
            (length,) = struct.unpack(">Q", head[8:16])
        if name == b"hdlr" and head[16:20] in (b"soun", b"vide"):
            is_sound = head[16:20] == b"soun"
        elif name == b"stts":
            is_each_sample = head[12:16] == head[20:24] == b"\0\0\0\1"
        elif name in _COUNTS and not (is_sound and is_each_sample):
            of_tables += int.from_bytes(head[16:20])
        elif name == _FRAGMENT:
            of_fragments += int.from_bytes(head[12:16])
        at += 8 if name in _FOLDERS else min(max(length, 8) if length else size_bytes, size_bytes)
        if at >= size_bytes:
            return of_tables + of_fragments
    return of_tables + of_fragments * size_bytes // at
