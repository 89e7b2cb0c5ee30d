"""Parts of a file that FFmpeg does not read by itself: WAV beyond 4 GiB, and recordings joined byte by byte."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

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


def has_wrapped_size(path: Path) -> bool:
    """Whether the samples of a WAV file go on after the size that its header states: beyond 4 GiB it wraps around.

    What follows the stated size is then no chunk: no name of four letters, or a size beyond the end of the file.
    """
    try:
        size_bytes = path.stat().st_size
        with path.open("rb") as file:
            for name, size, after in _chunks(file, b"WAVE"):
                if name == b"data":
                    file.seek(after)
                    is_stated = size not in _UNKNOWN_SIZES and after < size_bytes
                    return is_stated and not _is_chunk(file.read(_CHUNK.size), size_bytes - after)
    except OSError:
        pass
    return False


def has_chained_streams(path: Path) -> bool:
    """Whether in an Ogg file other streams follow the first ones, each on a clock of its own.

    Not those of another sample rate: FFmpeg goes on counting their time at the rate of the first one.
    """
    if not is_joined(path, "ogg"):
        return False
    try:
        with path.open("rb") as file:
            return len(set(_ogg_rates(file))) == 1
    except (OSError, ValueError, IndexError):
        return False


def appended_remarks(path: Path, format_name: str, streams: int, read: int) -> tuple[Remark, ...]:
    """A remark if whole recordings follow the first one in a file, which players and FFmpeg do not go on to.

    `read` is the number of recordings that FFmpeg goes on to, and the first. In Ogg it goes on if there is one stream.
    """
    if format_name == "ogg" and not is_joined(path, format_name):
        return ()
    if format_name == "ogg" and streams > 1:
        return (Remark("more recordings follow the first one in this file, and cannot be read: split it"),)
    try:
        with path.open("rb") as file:
            if format_name == "flv":
                count = _count_flv(file)
            elif format_name.startswith("mov,"):
                count = sum(name == b"ftyp" for name in _boxes(file))
            elif format_name.startswith("matroska"):
                count = count_matroska(file)
            elif format_name == "asf":
                count = sum(name == _ASF_HEADER for name in _objects(file))
            elif format_name in ("wav", "avi"):
                forms = (b"WAVE", b"AVI ")
                count = sum(_form(file, at) in forms for at in _riffs(file))
            elif format_name == "flac":
                count = _count_flac(file)
            elif format_name == "ogg":
                rates = _ogg_rates(file)
                count = len(rates) if len(set(rates)) > 1 else 1
            else:
                return ()
    except (OSError, ValueError, IndexError):
        return ()
    more = count - read
    those = "one" if read == 1 else str(read)
    are = "recordings follow" if more > 1 else "recording follows"
    return (
        (Remark(f"{more} more {are} the first {those} in this file, and cannot be read: split it"),) if more > 0 else ()
    )


def _ogg_rates(file: BinaryIO) -> list[bytes]:
    """The sample rate of each link of a chain of Vorbis streams, as stored; of other codecs b"", as Opus has one."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        rates, at, end = [], content.find(_OGG_START), -1
        while at != -1:
            segments = content[at + _OGG_HEADER_BYTES - 1]
            body = at + _OGG_HEADER_BYTES + segments
            if at != end:  # else one more stream of the same link
                rates.append(b"")
            if content[body : body + len(_VORBIS_START)] == _VORBIS_START:
                rates[-1] = content[body + len(_VORBIS_START) + 5 : body + len(_VORBIS_START) + 9]
            end = body + sum(content[body - segments : body])
            at = content.find(_OGG_START, at + 1)
        return rates


def _count_flv(file: BinaryIO) -> int:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        count, at = 0, content.find(_FLV_MAGIC)
        while at != -1:
            count += content[at + 5 : at + 9] == _FLV_HEADER_BYTES
            at = content.find(_FLV_MAGIC, at + 1)
    return count


def _count_flac(file: BinaryIO) -> int:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        count, at = 0, content.find(_FLAC_START)
        while at != -1:
            count, at = count + 1, content.find(_FLAC_START, at + 1)
        return count


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
