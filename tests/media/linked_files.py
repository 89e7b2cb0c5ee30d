"""Media files that name others as a part of themselves, as their formats allow: a player that follows would open them.

QuickTime's data references, Matroska's linked segments, VobSub's second file, and the JPEG beside a raw picture.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.media.camera_raw_file import write_dng

VOBSUB = (
    "# VobSub index file, v7 (do not modify this line!)\nsize: 720x480\nlangidx: 0\nid: en, index: 0\n"
    "timestamp: 00:00:01:000, filepos: 000000000\n"
)

_UID = bytes(range(16))

_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"dinf")

_INFO, _SEEK_HEAD, _CUES = 0x1549A966, 0x114D9B74, 0x1C53BB6B


def write_linked(folder: Path, secret: Path, sample: Callable[[str], Path]) -> Iterator[tuple[str, Path]]:
    """Write a file of each kind that names `secret`, and yield the kind and the path.

    What a player looks for beside a file is a hard link to `secret`. `sample` makes `moov_last.mp4` and `offset.mkv`.
    """
    film, segment = sample("moov_last.mp4").read_bytes(), sample("offset.mkv").read_bytes()
    near = f"../{secret.parent.name}/{secret.name}"
    for kind, entry in {
        "alias": _alias(secret),
        "url": _box(b"url ", bytes(4) + f"file://{secret}\0".encode()),
        "relative url": _box(b"url ", bytes(4) + f"{near}\0".encode()),
    }.items():
        path = folder / f"{kind}.mov"
        path.write_bytes(_with_data_reference(film, entry))
        yield kind, path
    path = folder / "linked.mkv"
    path.write_bytes(_linked_segment(segment, near))
    _link(secret, folder, "linked-2.mkv", "next.mkv")
    yield "linked segment", path
    for name in ("subtitles.idx", "subtitles.mp4"):
        path = folder / name
        path.write_text(VOBSUB)
        _link(secret, folder, "subtitles.sub")
        yield f"VobSub as {path.suffix}", path
    path = folder / "raw.dng"
    write_dng(path)
    _link(secret, folder, "raw.jpg", "raw.JPG", "raw.THM", "raw.xmp")
    yield "raw picture", path


def _link(secret: Path, folder: Path, *names: str) -> None:
    for name in names:
        if not (folder / name).exists():
            os.link(secret, folder / name)


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + name + body


def _with_data_reference(content: bytes, entry: bytes) -> bytes:
    """The boxes of a QuickTime file with this entry in each table of data references. `moov` must be at the end."""
    boxes, at = b"", 0
    while at < len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        body = content[at + 8 : at + size]
        if name in _CONTAINERS:
            body = _with_data_reference(body, entry)
        elif name == b"dref":
            body = struct.pack(">II", 0, 1) + entry
        boxes, at = boxes + _box(name, body), at + size
    return boxes


def _alias(secret: Path) -> bytes:
    """An alias of the old Macintosh: two folders up from the film, and down the last two names of the path."""
    name, volume = secret.name.encode(), b"disk"
    path = b"disk:" + str(secret)[1:].replace("/", ":").encode()
    path += b"\0" * (len(path) % 2)
    head = bytes(10) + bytes([len(volume)]) + volume.ljust(27, b"\0") + bytes(12) + bytes([len(name)])
    levels = name.ljust(63, b"\0") + bytes(16) + struct.pack(">HH", 2, 2) + bytes(16)
    return _box(b"alis", bytes(4) + head + levels + struct.pack(">HH", 2, len(path)) + path + struct.pack(">hH", -1, 0))


def _linked_segment(content: bytes, next_name: str) -> bytes:
    """A Matroska file that goes on in another one, by its identifier, by its name, and in an ordered chapter."""
    (_, header, _), (_, _, at) = list(_elements(content, 0))[:2]
    parts = content[: len(header)] + struct.pack(">I", 0x18538067) + b"\x01" + b"\xff" * 7  # of unknown size
    name = next_name.encode()
    links = _element(0x73A4, _UID[::-1]) + b"".join(_element(number, _UID) for number in (0x3CB923, 0x3EB923))
    links += _element(0x3C83AB, name) + _element(0x3E83BB, name)
    atom = _element(0x73C4, b"\1") + _element(0x91, b"\0") + _element(0x92, struct.pack(">I", 10**9))
    chapters = _element(0x45BC, b"\1") + _element(0x45DD, b"\1") + _element(0xB6, atom + _element(0x6E67, _UID))
    for number, whole, body in _elements(content, at):
        if number == _INFO:
            parts += _element(_INFO, content[body : body + len(whole)][: _length(whole)] + links)
            parts += _element(0x1043A770, _element(0x45B9, chapters))
        elif number not in (_SEEK_HEAD, _CUES):
            parts += whole
    return parts


def _elements(content: bytes, at: int) -> Iterator[tuple[int, bytes, int]]:
    """The EBML elements from a place on: number, all bytes, and where the body begins."""
    while at < len(content):
        width = 9 - content[at].bit_length()
        number = int.from_bytes(content[at : at + width], "big")
        body = at + width + 9 - content[at + width].bit_length()
        size = int.from_bytes(content[at + width : body], "big") & ((1 << 7 * (body - at - width)) - 1)
        yield number, content[at : body + size], body
        at = body + size


def _length(whole: bytes) -> int:
    """The length of the body of an element."""
    ((_, _, body),) = _elements(whole, 0)
    return len(whole) - body


def _element(number: int, body: bytes) -> bytes:
    name = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return name + struct.pack(">Q", len(body) | 1 << 56) + body
