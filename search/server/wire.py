"""Messages on a socket, one after the other: who speaks in which version, how long the message is, the message."""

from __future__ import annotations

import os
import socket
import struct
import time

from pesearch import __version__

PROTOCOL = 1
"""Raised when the messages change within a version."""

LONGEST_QUESTION = 2**20
LONGEST_REPLY = 2**28
"""Bytes: 10,000 moments, the most that can be asked for, take some 20 MB."""

_AT_ONCE = 2**18
_HEAD = struct.Struct("!32sQ")
_NAME = b"pesearch "
_STAMP = (_NAME + f"{__version__} {PROTOCOL}".encode()).ljust(32, b"\0")
_CREDENTIALS = struct.Struct("3i")


class BadFrame(Exception):
    """What came is no message, or it did not come whole."""


class OtherVersion(BadFrame):
    """The other side is another version of pesearch."""


def send(connection: socket.socket, message: bytes, seconds: float) -> None:
    """Send a message within so many seconds. Raises OSError."""
    connection.settimeout(seconds)
    connection.sendall(_HEAD.pack(_STAMP, len(message)) + message)


def receive(connection: socket.socket, longest: int, seconds: float) -> bytes:
    """One message of at most `longest` bytes, all of it within so many seconds. Raises BadFrame, OSError
    (TimeoutError among them)."""
    until = time.monotonic() + seconds
    stamp, length = _HEAD.unpack(_exactly(connection, _HEAD.size, until))
    if stamp != _STAMP:
        raise OtherVersion(stamp) if stamp.startswith(_NAME) else BadFrame("not pesearch")
    if length > longest:
        raise BadFrame(f"{length} bytes are more than {longest}")
    return _exactly(connection, length, until)


def is_same_user(connection: socket.socket) -> bool:
    """Whether the other side is a process of the user of this one."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(told)
    return bool(user == os.geteuid())


def _exactly(connection: socket.socket, count: int, until: float) -> bytes:
    """Memory grows with what comes, not with what is promised."""
    received = bytearray()
    while len(received) < count:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("not whole in time")
        connection.settimeout(left)
        if not (piece := connection.recv(min(count - len(received), _AT_ONCE))):
            raise BadFrame("ended in the middle")
        received += piece
    return bytes(received)
