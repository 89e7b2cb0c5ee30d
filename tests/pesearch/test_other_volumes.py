"""Volumes of macOS and Windows, from replies of their systems as documented. Neither is asked here."""

from __future__ import annotations

import ctypes
import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from pesearch import macos_volumes, windows_volumes
from pesearch.volume import Volume

SYSTEM, DATA, CARD = (UUID(int=number) for number in (1 << 100, 2, 3))


@pytest.fixture
def macos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[bytes, bytes]:
    """The replies of getattrlist(2) by path: length, capabilities, which of them are known, UUID."""
    replies: dict[bytes, bytes] = {}

    def getattrlist(path: bytes, attributes: Any, reply: Any, size: int, options: int) -> int:
        asked = struct.unpack("=HHIIIII", attributes.raw)
        assert asked == (5, 0, 0, 0x80000000 | 0x20000 | 0x40000, 0, 0, 0)
        if path not in replies:
            return -1
        ctypes.memmove(reply, replies[path], min(size, len(replies[path])))
        return 0

    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(getattrlist=getattrlist))
    monkeypatch.setattr(macos_volumes, "VOLUMES", tmp_path)
    return replies


def reply_of(uuid: UUID, *, has: int, knows: int) -> bytes:
    """All other capabilities are set, so that only the right bit of the right set counts."""
    capabilities = (0xFFFFFFFE | has, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFE | knows, *[0xFFFFFFFF] * 3)
    return struct.pack("=I8I", 52, *capabilities) + uuid.bytes


def test_volumes_of_macos_are_named_by_their_uuids(
    macos: dict[bytes, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Card", "Share", "folder"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr("os.path.ismount", lambda path: path.name != "folder")
    macos[b"/"] = reply_of(SYSTEM, has=1, knows=1)
    macos[b"/System/Volumes/Data"] = reply_of(DATA, has=1, knows=1)
    macos[bytes(tmp_path / "Card")] = reply_of(CARD, has=0, knows=1)
    macos[bytes(tmp_path / "folder")] = reply_of(CARD, has=1, knows=1)
    found = list(macos_volumes.mounted())
    assert found == [
        Volume("00000000-0000-0000-0000-000000000002", Path("/System/Volumes/Data")),
        Volume(str(SYSTEM), Path("/")),
        Volume("00000000-0000-0000-0000-000000000003", tmp_path / "Card"),
    ]
    assert [volume.has_stable_inodes for volume in found] == [True, True, False]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (reply_of(DATA, has=1, knows=0), [False]),
        (reply_of(UUID(int=0), has=1, knows=1), []),
        (struct.pack("=I", 20) + DATA.bytes + bytes(32), []),  # without the capabilities
    ],
    ids=["unknown capability", "no UUID", "another reply"],
)
def test_what_macos_does_not_know_does_not_count(macos: dict[bytes, bytes], reply: bytes, expected: list[bool]) -> None:
    macos[b"/"] = reply
    assert [volume.has_stable_inodes for volume in macos_volumes.mounted()] == expected


def test_volumes_of_windows_are_named_by_their_serial_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """C: and D: are disks, E: an empty card reader, F: a stick, Z: a network share."""
    types = {"C:\\": 3, "D:\\": 3, "E:\\": 2, "F:\\": 2, "Z:\\": 4}
    volumes = {"C:\\": (0x1A2B3C4D, "NTFS"), "D:\\": (0x12, "ReFS"), "F:\\": (0xFFFFFFFF, "exFAT"), "Z:\\": (7, "NTFS")}

    class Kernel:
        def GetLogicalDrives(self) -> int:
            return sum(1 << ord(root[0]) - ord("A") for root in types)

        def GetDriveTypeW(self, root: str) -> int:
            return types[root]

        def GetVolumeInformationW(self, root: str, *asked: Any) -> int:
            label, _, serial, longest, flags, kind, size = asked
            assert (label, longest, flags, len(kind)) == (None, None, None, size)
            if root not in volumes:
                return 0
            serial._obj.value, kind.value = volumes[root]
            return 1

    monkeypatch.setattr(ctypes, "WinDLL", lambda name: Kernel(), raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    found = list(windows_volumes.mounted())
    assert found == [
        Volume("1a2b3c4d", Path("C:\\")),
        Volume("00000012", Path("D:\\")),
        Volume("ffffffff", Path("F:\\")),
    ]
    assert [volume.has_stable_inodes for volume in found] == [True, True, False]
