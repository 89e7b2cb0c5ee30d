"""Volumes of macOS: the two of the system, and those in /Volumes. The name is the UUID of the file system.

getattrlist(2) has the UUID, and whether inode numbers are stored (`VOL_CAP_FMT_PERSISTENTOBJECTIDS`: APFS and HFS+ do,
FAT and exFAT do not).
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from pesearch.volume import Volume

MOUNT_POINTS = (Path("/System/Volumes/Data"), Path("/"))
"""The data volume, which has the users' folders, and the read-only system volume."""

VOLUMES = Path("/Volumes")
"""Has a mount point for each other volume."""

_ATTR_BIT_MAP_COUNT = 5
_ATTR_VOL_INFO = 0x8000_0000
_ATTR_VOL_CAPABILITIES = 0x0002_0000
_ATTR_VOL_UUID = 0x0004_0000
_PERSISTENT_OBJECT_IDS = 0x0000_0001

_ATTRLIST = struct.Struct("=HHIIIII")
"""struct attrlist: the count of bit maps, padding, and the attributes of volumes in the second of five bit maps."""

_REPLY = struct.Struct("=I8I16s")
"""Length; vol_capabilities_attr_t, which is four sets of bits and which of them are known; uuid_t."""


def mounted() -> Iterator[Volume]:
    """The mounted volumes that have a UUID."""
    for mount_point in (*MOUNT_POINTS, *_in_volumes()):
        reply = _read_attributes(mount_point)
        if reply is not None:
            _, has_format, _, _, _, knows_format, _, _, _, uuid = _REPLY.unpack(reply)
            if any(uuid):
                yield Volume(
                    str(UUID(bytes=uuid)), mount_point, bool(has_format & knows_format & _PERSISTENT_OBJECT_IDS)
                )


def _in_volumes() -> list[Path]:
    try:
        return sorted(path for path in VOLUMES.iterdir() if os.path.ismount(path))
    except OSError:
        return []


def _read_attributes(mount_point: Path) -> bytes | None:
    """The reply of getattrlist, as `_REPLY`; None where the file system has no such attributes."""
    wanted = _ATTR_VOL_INFO | _ATTR_VOL_CAPABILITIES | _ATTR_VOL_UUID
    attributes = ctypes.create_string_buffer(_ATTRLIST.pack(_ATTR_BIT_MAP_COUNT, 0, 0, wanted, 0, 0, 0), _ATTRLIST.size)
    reply = ctypes.create_string_buffer(_REPLY.size)
    call = ctypes.CDLL(None).getattrlist
    call.argtypes = (ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32)
    failed = call(os.fsencode(mount_point), attributes, reply, _REPLY.size, 0)
    return None if failed or _length(reply.raw) != _REPLY.size else reply.raw


def _length(reply: bytes) -> int:
    return int(_REPLY.unpack(reply)[0])
