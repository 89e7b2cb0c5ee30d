"""macOS's counterparts of `linux_sockets`."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from pathlib import Path

_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1
"""Level and name of the option, in <sys/un.h>."""

_XUCRED = struct.Struct("=IIh2x16I")
"""struct xucred of <sys/ucred.h>: version, user, number of groups, and groups of the peer."""

_XUCRED_VERSION = 0

_CONNECT_SECONDS = 1.0


def peer_user_id(connection: socket.socket) -> int:
    """The user of the process at the other end of a Unix socket, by LOCAL_PEERCRED (unix(4)). Raises OSError."""
    version, user_id, *_ = _XUCRED.unpack(connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED.size))
    if version != _XUCRED_VERSION:
        raise OSError(f"unknown version {version} of the credentials of a peer")
    return int(user_id)


def path_in_private_folder(folder: Path, name: str) -> str:
    """The path of `name` in a folder. macOS has no path to an open folder.

    Nobody else can put another folder in place of one of this user whose parent is sticky, or private as `TMPDIR` is;
    and both sides check each other's user before a query is sent. The path of a Unix socket has at most 103 bytes.
    """
    return str(folder / name)


def stop_accepting(listener: socket.socket) -> None:
    """Let a thread that waits in accept() return, with a connection: shutdown(2) does not wake it."""
    with suppress(OSError), socket.socket(listener.family) as connection:
        connection.settimeout(_CONNECT_SECONDS)
        connection.connect(listener.getsockname())
