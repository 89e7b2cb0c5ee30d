"""Whether a picture file moves: GIF, APNG, WebP, AVIF and HEIF sequences, which are films."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

from pesearch.media.file_head import open_regular, raise_unreadable

_SEQUENCE_BRANDS = frozenset({b"avis", b"msf1", b"hevc", b"hevx"})
"""Major brands of AVIF and HEIF files that hold a track of pictures beside or instead of a still."""

_MAX_CHUNKS = 10_000
"""Chunks or boxes that are looked at; a damaged file may claim any number."""


def is_animated(path: Path, head: bytes) -> bool:
    """Whether a picture with these first bytes has more than one frame to be shown in turn. Errors: MediaError."""
    if head.startswith(b"\xff\xd8\xff"):  # JPEG, the usual photo, is not opened again
        return False
    try:
        with open_regular(path) as file:
            if head.startswith((b"GIF87a", b"GIF89a")):
                return _has_second_frame(file)
            if head.startswith(b"\x89PNG"):
                return _apng_frames(file) > 1
            if is_animated_webp(head):
                return _webp_frames(file) > 1
            return head[4:8] == b"ftyp" and head[8:12] in _SEQUENCE_BRANDS and _has_track(file)
    except (OSError, ValueError) as error:
        raise_unreadable(error)


def is_animated_webp(head: bytes) -> bool:
    """Whether the extended header of a WebP says that it is animated.
    https://developers.google.com/speed/webp/docs/riff_container"""
    return head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and len(head) > 20 and bool(head[20] & 2)


def _webp_frames(file: IO[bytes]) -> int:
    """The number of ANMF chunks, up to 2."""
    frames = 0
    file.seek(12)
    for _ in range(_MAX_CHUNKS):
        header = file.read(8)
        if len(header) < 8 or frames == 2:
            break
        frames += header[:4] == b"ANMF"
        size = int.from_bytes(header[4:], "little")
        file.seek(size + size % 2, 1)
    return frames


def _has_second_frame(file: IO[bytes]) -> bool:
    """Whether a GIF has two image descriptors. https://www.w3.org/Graphics/GIF/spec-gif89a.txt"""
    screen = file.read(13)
    if len(screen) == 13:
        file.seek(_colour_table_bytes(screen[10]), 1)
    frames = 0
    for _ in range(_MAX_CHUNKS):
        match file.read(1):
            case b"\x21":
                file.seek(1, 1)
            case b"\x2c":
                frames += 1
                descriptor = file.read(9)
                if frames == 2 or len(descriptor) < 9:
                    break
                file.seek(_colour_table_bytes(descriptor[8]) + 1, 1)
            case _:
                break
        while size := file.read(1):
            if size == b"\0":
                break
            file.seek(size[0], 1)
    return frames > 1


def _colour_table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _apng_frames(file: IO[bytes]) -> int:
    """The number of frames in a PNG's acTL chunk, which stands before the pixels; 1 without it."""
    file.seek(8)
    for _ in range(_MAX_CHUNKS):
        header = file.read(8)
        if len(header) < 8 or header[4:] == b"IDAT":
            break
        if header[4:] == b"acTL":
            return int.from_bytes(file.read(4), "big")
        file.seek(int.from_bytes(header[:4], "big") + 4, 1)
    return 1


def _has_track(file: IO[bytes]) -> bool:
    """Whether a `moov` box is among the top-level boxes."""
    file.seek(0)
    for _ in range(_MAX_CHUNKS):
        header = file.read(8)
        if len(header) < 8 or header[4:] == b"moov":
            return len(header) == 8
        (size,) = struct.unpack(">I", header[:4])
        if size == 1:
            size = int.from_bytes(file.read(8), "big") - 8
        if size < 8:
            break
        file.seek(size - 8, 1)
    return False
