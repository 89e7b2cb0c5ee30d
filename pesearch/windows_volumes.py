"""Volumes of Windows: the drives with a letter. The name is the serial number of the file system.

A volume that is mounted in a folder only, without a letter, has no name. `st_ino` is the file id, which NTFS and ReFS
store.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from pesearch.volume import Volume

_DRIVE_REMOVABLE, _DRIVE_FIXED = 2, 3
"""Results of GetDriveTypeW for drives of this machine: USB sticks and cards, and disks."""

_MAX_NAME_LENGTH = 261

_WITH_STABLE_FILE_IDS = frozenset(("NTFS", "ReFS"))


def mounted() -> Iterator[Volume]:
    """The volumes of the drives with a letter, without network shares, optical drives and memory."""
    volumes: Iterator[Volume] = iter(())
    if sys.platform == "win32":
        volumes = _on_drives(ctypes.WinDLL("kernel32"))
    return volumes


def _on_drives(kernel: Any) -> Iterator[Volume]:
    letters = kernel.GetLogicalDrives()
    for number, letter in enumerate(ascii_uppercase):
        root = f"{letter}:\\"
        if letters >> number & 1 and kernel.GetDriveTypeW(root) in (_DRIVE_REMOVABLE, _DRIVE_FIXED):
            volume = _describe(kernel, root)
            if volume is not None:
                yield volume


def _describe(kernel: Any, root: str) -> Volume | None:
    """The volume of a drive; None for a card reader without a card, and for a file system without a serial number."""
    serial, kind = ctypes.c_uint32(), ctypes.create_unicode_buffer(_MAX_NAME_LENGTH)
    succeeded = kernel.GetVolumeInformationW(root, None, 0, ctypes.byref(serial), None, None, kind, _MAX_NAME_LENGTH)
    if not succeeded or not serial.value:
        return None
    return Volume(f"{serial.value:08x}", Path(root), kind.value in _WITH_STABLE_FILE_IDS)
