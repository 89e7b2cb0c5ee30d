"""Framing of messages on a socket: a header with protocol version and length, then the message."""

from __future__ import annotations

import socket
import struct
import time

from pesearch import __version__
from pesearch.file_owner import current_user
from pesearch.search.server.unix_sockets import peer_user_id

PROTOCOL_VERSION = 4
"""Increment it when messages change but the version of pesearch does not."""

MAX_QUERY_BYTES = 2**20
"""Limit of a query message."""

MAX_REPLY_BYTES = 2**28
"""Limit of a reply message: 10,000 moments, the most that can be requested, take about 20 MB."""

_MAX_RECEIVE_BYTES = 2**18
_HEADER = struct.Struct("!32sQ")
_MAGIC = b"pesearch "
_VERSION = (_MAGIC + f"{__version__} {PROTOCOL_VERSION}".encode()).ljust(32, b"\0")


class BadMessage(Exception):
    """The bytes received are not a message, or an incomplete one."""


class VersionMismatch(BadMessage):
    """The other side runs another version of pesearch."""


def send(connection: socket.socket, message: bytes, timeout_seconds: float) -> None:
    """Sends a message. Raises OSError, which includes TimeoutError."""
    connection.settimeout(timeout_seconds)
    connection.sendall(_HEADER.pack(_VERSION, len(message)) + message)


def receive(connection: socket.socket, max_bytes: int, timeout_seconds: float) -> bytes:
    """Receives one whole message. Raises BadMessage, or OSError, which includes TimeoutError."""
    deadline = time.monotonic() + timeout_seconds
    version, length = _HEADER.unpack(_receive_exactly(connection, _HEADER.size, deadline))
    if version != _VERSION:
        raise VersionMismatch(version) if version.startswith(_MAGIC) else BadMessage("not pesearch")
    if length > max_bytes:
        raise BadMessage(f"{length} bytes are more than {max_bytes}")
    return _receive_exactly(connection, length, deadline)


def is_same_user(connection: socket.socket) -> bool:
    """Whether the peer is a process of the same user."""
    return peer_user_id(connection) == current_user()


def _receive_exactly(connection: socket.socket, count: int, deadline: float) -> bytes:
    """Receives `count` bytes. The buffer grows with the bytes received, so a false length in the header costs no
    memory."""
    received = bytearray()
    while len(received) < count:
        remaining_seconds = deadline - time.monotonic()
        if remaining_seconds <= 0:
            raise TimeoutError("incomplete at the deadline")
        connection.settimeout(remaining_seconds)
        if not (chunk := connection.recv(min(count - len(received), _MAX_RECEIVE_BYTES))):
            raise BadMessage("connection closed within a message")
        received += chunk
    return bytes(received)
