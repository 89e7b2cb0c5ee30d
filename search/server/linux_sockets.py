"""Linux features that the server uses beyond POSIX sockets. tests/search/server/test_linux_sockets.py checks each."""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys

_UCRED = struct.Struct("3i")
"""struct ucred of <sys/socket.h>: process, user and group of the peer."""


def peer_user_id(connection: socket.socket) -> int:
    """The user of the process at the other end of a Unix socket, by SO_PEERCRED (unix(7)). Raises OSError."""
    if sys.platform != "linux":
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    _, user_id, _ = _UCRED.unpack(credentials)
    return int(user_id)


def path_in_open_folder(descriptor: int, name: str) -> str:
    """A path to `name` in a folder that is open as `descriptor`, through /proc/self/fd (proc(5)).

    bind() and connect() have no variant with a folder descriptor. This path refers to the open folder even if another
    takes its place, and is short: the path of a Unix socket has at most 107 bytes.
    """
    return f"/proc/self/fd/{descriptor}/{name}"


def stop_accepting(listener: socket.socket) -> None:
    """Let a thread that waits in accept() return, with an error."""
    listener.shutdown(socket.SHUT_RDWR)
