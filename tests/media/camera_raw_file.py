"""A raw picture as cameras write it: a small preview first, the sensor's pixels in a sub-IFD (DNG 1.4)."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

_SHORT, _LONG, _ASCII, _BYTE, _SRATIONAL, _RATIONAL = 3, 4, 2, 1, 10, 5
_FORMATS = {_SHORT: "H", _LONG: "I", _BYTE: "B"}


def write_dng(path: Path, width: int = 256, height: int = 192) -> None:
    """A DNG of which the left half is red and the right half blue, with a green preview of 64x48."""
    preview = np.zeros((48, 64, 3), np.uint8)
    preview[..., 1] = 255
    sensor = np.full((height, width), 600, np.uint16)  # RGGB
    sensor[0::2, 0 : width // 2 : 2] = 12_000
    sensor[1::2, width // 2 + 1 :: 2] = 12_000
    content = bytearray(b"II*\0\x08\0\0\0")
    first = _Directory()
    first.add(254, _LONG, 1).size(64, 48, 3, 8, photometric=2)
    first.add(271, _ASCII, b"Maker\0").add(272, _ASCII, b"Model\0").add(274, _SHORT, 1)
    first.add(50706, _BYTE, 1, 4, 0, 0).add(50708, _ASCII, b"Maker Model\0")
    first.add(50721, _SRATIONAL, *(number for row in np.eye(3, dtype=int) for each in row for number in (int(each), 1)))
    first.add(50728, _RATIONAL, 1, 1, 1, 1, 1, 1).add(50778, _SHORT, 21)
    second = _Directory()
    second.add(254, _LONG, 0).size(width, height, 1, 16, photometric=32803)
    second.add(33421, _SHORT, 2, 2).add(33422, _BYTE, 0, 1, 1, 2).add(50714, _SHORT, 512).add(50717, _LONG, 16_383)
    at = 8 + first.size_bytes(330, 273)
    sub_ifd = at + preview.nbytes
    first.add(330, _LONG, sub_ifd).add(273, _LONG, at)
    second.add(273, _LONG, sub_ifd + second.size_bytes(273))
    content += first.packed(8) + preview.tobytes() + second.packed(sub_ifd) + sensor.tobytes()
    path.write_bytes(content)


class _Directory:
    """The tags of one image of a TIFF file."""

    def __init__(self) -> None:
        self._tags: dict[int, tuple[int, int, bytes]] = {}

    def add(self, tag: int, kind: int, *values: int | bytes) -> _Directory:
        if kind == _ASCII:
            assert isinstance(values[0], bytes)
            self._tags[tag] = (kind, len(values[0]), values[0])
        elif kind in (_RATIONAL, _SRATIONAL):
            self._tags[tag] = (kind, len(values) // 2, struct.pack(f"<{len(values)}i", *values))
        else:
            self._tags[tag] = (kind, len(values), struct.pack(f"<{len(values)}{_FORMATS[kind]}", *values))
        return self

    def size(self, width: int, height: int, samples: int, bits: int, photometric: int) -> _Directory:
        self.add(256, _LONG, width).add(257, _LONG, height).add(258, _SHORT, *[bits] * samples).add(259, _SHORT, 1)
        self.add(262, _SHORT, photometric).add(277, _SHORT, samples).add(278, _LONG, height).add(284, _SHORT, 1)
        return self.add(279, _LONG, width * height * samples * bits // 8)

    def size_bytes(self, *to_come: int) -> int:
        """The packed size once the LONG tags `to_come` are added, too."""
        count = len(self._tags) + len(to_come)
        return 2 + 12 * count + 4 + sum(len(data) for _, _, data in self._tags.values() if len(data) > 4)

    def packed(self, at: int) -> bytes:
        entries, more = b"", b""
        behind = at + 2 + 12 * len(self._tags) + 4
        for tag, (kind, count, data) in sorted(self._tags.items()):
            value = data.ljust(4, b"\0")
            if len(data) > 4:
                value = struct.pack("<I", behind + len(more))
                more += data
            entries += struct.pack("<HHI", tag, kind, count) + value
        return struct.pack("<H", len(self._tags)) + entries + bytes(4) + more
