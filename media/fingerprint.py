"""Content fingerprints of files, and whether two files have the same content."""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pesearch.errors import MediaError
from pesearch.media.file_head import open_regular, raise_unreadable

_PART_BYTES = 1 << 20
"""1 MiB of each of head, middle and tail."""

MAX_UNSAMPLED_BYTES = 3 * _PART_BYTES
"""The parts of a file up to this size are all of it."""

_UNCOMPRESSED = (
    rb"RIFF....WAVE", rb"RF64", rb"BW64", rb"riff\.\x91\xcf\x11", rb"FORM....AIF", rb"caff", rb"\.snd", rb"DSD ",
    rb"BM", rb"II[*+]\x00", rb"MM\x00[*+]", rb"P[1-7]\s", rb"8BPS", rb"SIMPLE  = ", rb"SDPX", rb"XPDS",
)  # fmt: skip
"""First bytes, as regular expressions, of formats that mostly hold samples or pixels as they are."""

_IS_UNCOMPRESSED = re.compile(b"|".join(_UNCOMPRESSED), re.DOTALL)

_PIECE_BYTES = 4096
"""Of each sixteenth of the middle, to see whether it can be compressed: a millisecond a file."""

_MAX_REDUNDANCY = 0.5
"""Compressed size of a part by its size, below which it says little about a file: silence, black. Measured with zlib's
level 1 on the middle of generated media: H.264, AAC, MP3, FLAC 0.95 to 1.0, ProRes and MPEG-2 0.89 to 0.94, black at a
constant bit rate 0.01. (At the ends are indexes, which are compressible in any file.)"""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The digest of a content: 40 hexadecimal digits. `is_whole`: of all of it, so that only copies have the same."""

    digest: str
    is_whole: bool


def fingerprint(path: Path) -> Fingerprint:
    """BLAKE2b of the size and three parts of 1 MiB (head, middle, tail), or of everything.

    Files up to 3 MiB are read whole, and so are formats without compression and files with silence or black in the
    middle: stems, mixes and scans of one length may differ in a few seconds or lines only. Elsewhere almost any edit
    changes the size, the header or the index. Files with equal parts may still differ, which `same_content` tells.
    Names, times and permissions are not part of it.

    Errors: MediaError when the file is empty, unreadable, missing, or not a regular file.
    """
    return _digest(path, takes_all=False)


def whole_fingerprint(path: Path) -> str:
    """BLAKE2b of the size and all of a file. Errors: those of `fingerprint`."""
    return _digest(path, takes_all=True).digest


def sampled_fingerprint(path: Path) -> str:
    """Of the size and three parts, whatever they hold: what libraries of older programs have. Errors: as above."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            return _hash(size, _parts(file, _starts(size)))
    except OSError as error:
        raise_unreadable(error)


def has_fingerprint(path: Path, digest: str) -> bool:
    """Whether `digest` is one by which a library may know the content of a file. Errors: MediaError."""
    digests = (make(path) for make in (sampled_fingerprint, lambda path: fingerprint(path).digest, whole_fingerprint))
    return digest in digests


def same_content(one: Path, other: Path) -> bool:
    """Whether two files hold the same bytes; reads them up to the first difference. Errors: MediaError."""
    try:
        with open_regular(one) as first, open_regular(other) as second:
            if os.fstat(first.fileno()).st_size != os.fstat(second.fileno()).st_size:
                return False
            while (part := first.read(_PART_BYTES)) == second.read(_PART_BYTES):
                if not part:
                    return True
            return False
    except OSError as error:
        raise_unreadable(error)


def _digest(path: Path, *, takes_all: bool) -> Fingerprint:
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise MediaError("empty file (0 bytes)")
            parts = list(_parts(file, _starts(size)))
            is_whole = takes_all or size <= MAX_UNSAMPLED_BYTES or _says_little(parts)
            return Fingerprint(_hash(size, _parts(file, range(0, size, _PART_BYTES)) if is_whole else parts), is_whole)
    except OSError as error:
        raise_unreadable(error)


def _parts(file: BinaryIO, starts: Iterable[int]) -> Iterable[bytes]:
    for start in starts:
        file.seek(start)
        yield file.read(_PART_BYTES)


def _hash(size_bytes: int, parts: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(size_bytes.to_bytes(8, "little"), digest_size=20)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _says_little(parts: Sequence[bytes]) -> bool:
    head, middle, _ = parts
    pieces = b"".join(middle[start : start + _PIECE_BYTES] for start in range(0, len(middle), len(middle) // 16))
    return bool(_IS_UNCOMPRESSED.match(head)) or len(zlib.compress(pieces, level=1)) < _MAX_REDUNDANCY * len(pieces)


def _starts(size_bytes: int) -> list[int]:
    if size_bytes <= MAX_UNSAMPLED_BYTES:
        return list(range(0, size_bytes, _PART_BYTES))
    return [0, (size_bytes - _PART_BYTES) // 2, size_bytes - _PART_BYTES]
