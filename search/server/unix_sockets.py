"""Unix sockets as this system has them. Python has none on Windows, where no query is answered by another process."""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path

from pesearch.search.server import linux_sockets, macos_sockets


def has_unix_sockets() -> bool:
    """Whether this system has them, with a way to see the user at the other end."""
    return sys.platform in ("linux", "darwin")


def new_socket() -> socket.socket:
    """A Unix socket, not connected. Raises OSError where there are none."""
    if sys.platform == "win32":
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    return socket.socket(socket.AF_UNIX)


def peer_user_id(connection: socket.socket) -> int:
    """The user of the process at the other end of a Unix socket. Raises OSError."""
    if sys.platform == "darwin":
        return macos_sockets.peer_user_id(connection)
    return linux_sockets.peer_user_id(connection)


def socket_address(folder: Path, descriptor: int, name: str) -> str:
    """The address of the socket `name` in a folder that is open as `descriptor`."""
    if sys.platform == "darwin":
        return macos_sockets.path_in_private_folder(folder, name)
    return linux_sockets.path_in_open_folder(descriptor, name)


def stop_accepting(listener: socket.socket) -> None:
    """Let a thread that waits in accept() return, with a connection or an error."""
    if sys.platform == "darwin":
        macos_sockets.stop_accepting(listener)
    else:
        linux_sockets.stop_accepting(listener)
