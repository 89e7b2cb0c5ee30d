"""Parts of a file that FFmpeg does not read by itself: WAV beyond 4 GiB, and recordings joined byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pesearch.media.file_head import file_status, open_regular
from pesearch.media.joined import count_matroska, is_joined
from pesearch.types import Remark

_CHUNK = struct.Struct("<4sI")
_BOX = struct.Struct(">I4s")
_UNKNOWN_SIZES = (0, 0xFFFF_FFFF)
"""Written by recorders that were stopped, and by streams: FFmpeg then reads to the end of the file."""

_MAX_CHUNKS = 10_000
"""Chunks or boxes that are looked at: a fragmented MP4 has two a second."""

_OBJECT = struct.Struct("<16sQ")
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
"""The GUID of the object that an ASF or WMV file begins with."""

_FLV_MAGIC = b"FLV\x01"
_FLV_HEADER_BYTES = b"\x00\x00\x00\x09"
"""The size of the header, which follows the magic number and a byte of flags."""

_FLAC_START = b"fLaC\x00\x00\x00\x22"
"""Before the first block of metadata, STREAMINFO, of 34 bytes; another block always follows in files of encoders."""

_OGG_START = b"OggS\x00\x02"
"""The first page of a stream: the capture pattern, the version, and the flag of its beginning (RFC 3533)."""

_VORBIS_START = b"\x01vorbis"
"""Before the version (4 bytes), the number of channels (1) and the sample rate (4)."""

_OGG_HEADER_BYTES = 27
"""Of a page; the last one is the number of the segment sizes that follow."""

_OGG_PAGE_BYTES = _OGG_HEADER_BYTES + 255 + 16
"""Header, sizes and the start of the body of a page, as far as they are looked at."""

_SEARCHED_BYTES = 4 << 20
"""Read at once of a file that is searched."""


def has_wrapped_size(path: Path) -> bool:
    """Whether the samples of a WAV file go on after the size that its header states: beyond 4 GiB it wraps around.

    What follows the stated size is then no chunk: no name of four letters, or a size beyond the end of the file.
    Errors: MediaError; OSError.
    """
    size_bytes = file_status(path).st_size
    with open_regular(path) as file:
        for name, size, after in _chunks(file, b"WAVE"):
            if name == b"data":
                file.seek(after)
                is_stated = size not in _UNKNOWN_SIZES and after < size_bytes
                return is_stated and not _is_chunk(file.read(_CHUNK.size), size_bytes - after)
    return False


def has_chained_streams(path: Path) -> bool:
    """Whether in an Ogg file other streams follow the first ones, each on a clock of its own.

    Not those of another sample rate: FFmpeg goes on counting their time at the rate of the first one. Errors:
    MediaError; OSError.
    """
    if not is_joined(path, "ogg"):
        return False
    with open_regular(path) as file:
        return len(set(_ogg_rates(file))) == 1


def appended_remarks(path: Path, format_name: str, streams: int, read: int) -> tuple[Remark, ...]:
    """A remark if whole recordings follow the first one in a file, which players and FFmpeg do not go on to.

    `read` is the number of recordings that FFmpeg goes on to, and the first. In Ogg it goes on if there is one stream.
    Errors: MediaError; OSError.
    """
    if format_name == "ogg" and not is_joined(path, format_name):
        return ()
    if format_name == "ogg" and streams > 1:
        return (Remark("more recordings follow the first one in this file, and cannot be read: split it"),)
    with open_regular(path) as file:
        more = _count(file, format_name) - read
    those = "one" if read == 1 else str(read)
    are = "recordings follow" if more > 1 else "recording follows"
    return (
        (Remark(f"{more} more {are} the first {those} in this file, and cannot be read: split it"),) if more > 0 else ()
    )


def _count(file: BinaryIO, format_name: str) -> int:
    """The number of recordings in a file."""
    if format_name == "flv":
        return sum(after[1:] == _FLV_HEADER_BYTES for _, after in _found(file, _FLV_MAGIC, 1 + len(_FLV_HEADER_BYTES)))
    if format_name.startswith("mov,"):
        return sum(name == b"ftyp" for name in _boxes(file))
    if format_name.startswith("matroska"):
        return count_matroska(file)
    if format_name == "asf":
        return sum(name == _ASF_HEADER for name in _objects(file))
    if format_name in ("wav", "avi"):
        return sum(_form(file, at) in (b"WAVE", b"AVI ") for at in _riffs(file))
    if format_name == "flac":
        return sum(1 for _ in _found(file, _FLAC_START, 0))
    if format_name == "ogg":
        rates = _ogg_rates(file)
        return len(rates) if len(set(rates)) > 1 else 1
    return 1


def _ogg_rates(file: BinaryIO) -> list[bytes]:
    """The sample rate of each link of a chain of Vorbis streams, as stored; of other codecs b"", as Opus has one."""
    rates: list[bytes] = []
    end = -1
    for at, after in _found(file, _OGG_START, _OGG_PAGE_BYTES):
        head = _OGG_START + after
        segments = head[_OGG_HEADER_BYTES - 1] if len(head) >= _OGG_HEADER_BYTES else 0
        body = _OGG_HEADER_BYTES + segments
        if at != end:  # else one more stream of the same link
            rates.append(b"")
        if head[body : body + len(_VORBIS_START)] == _VORBIS_START:
            rates[-1] = head[body + len(_VORBIS_START) + 5 : body + len(_VORBIS_START) + 9]
        end = at + body + sum(head[body - segments : body])
    return rates


def _found(file: BinaryIO, pattern: bytes, more_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Where a pattern is in a file, and up to `more_bytes` after it. (Not by mmap: a share that drops would end the
    whole process.)"""
    file.seek(0)
    start, content = 0, file.read(_SEARCHED_BYTES)
    overlap = len(pattern) + more_bytes
    while content:
        is_last = len(content) < _SEARCHED_BYTES
        stop = len(content) if is_last else len(content) - overlap + 1
        at = content.find(pattern)
        while 0 <= at < stop:
            yield start + at, content[at + len(pattern) : at + overlap]
            at = content.find(pattern, at + 1)
        if is_last:
            return
        start += stop
        file.seek(start)
        content = file.read(_SEARCHED_BYTES)


def _boxes(file: BinaryIO) -> Iterator[bytes]:
    """The names of the boxes of an MP4 file."""
    at = 0
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        head = file.read(16)
        if len(head) < _BOX.size:
            return
        size, name = _BOX.unpack(head[: _BOX.size])
        size = int.from_bytes(head[8:16], "big") if size == 1 else size
        yield name
        if size < _BOX.size:
            return
        at += size


def _objects(file: BinaryIO) -> Iterator[bytes]:
    """The GUIDs of the objects of an ASF file."""
    at = 0
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        head = file.read(_OBJECT.size)
        if len(head) < _OBJECT.size:
            return
        name, size = _OBJECT.unpack(head)
        yield name
        if not _OBJECT.size <= size < 1 << 62:
            return
        at += size


def _riffs(file: BinaryIO) -> Iterator[int]:
    """Where the RIFF chunks of a file begin: AVI has one for each gigabyte."""
    at = 0
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        head = file.read(_CHUNK.size)
        if len(head) < _CHUNK.size or head[:4] != b"RIFF":
            return
        yield at
        size = int.from_bytes(head[4:], "little")
        at += _CHUNK.size + size + size % 2


def _form(file: BinaryIO, at: int) -> bytes:
    file.seek(at + _CHUNK.size)
    return file.read(4)


def _chunks(file: BinaryIO, form: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a RIFF file: name, size, and where the next one begins."""
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != form:
        return
    for _ in range(_MAX_CHUNKS):
        head = file.read(_CHUNK.size)
        if len(head) < _CHUNK.size:
            return
        name, size = _CHUNK.unpack(head)
        after = file.tell() + size + size % 2
        yield name, size, after
        file.seek(after)


def _is_chunk(head: bytes, remaining_bytes: int) -> bool:
    if len(head) < _CHUNK.size:  # padding
        return True
    name, size = head[:4], int.from_bytes(head[4:], "little")
    return name.isascii() and name.decode("ascii").isprintable() and size <= remaining_bytes
