"""Both ends of a socket, for tests that send what no client and no server sends."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pesearch.search.server.socket_path import open_socket_path, socket_folder


def connected(folder: Path) -> socket.socket:
    """A raw connection to the server of a library."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    with open_socket_path(folder) as path:
        connection.connect(path.address)
    return connection


def is_closed_silently(connection: socket.socket) -> bool:
    """Whether the other side closes the connection without a reply; it may not have read to the end."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@contextmanager
def impostor(folder: Path, talk: Callable[[socket.socket], None]) -> Iterator[None]:
    """Something else in the place of the server, which calls `talk` with its only client."""
    socket_folder().mkdir(mode=0o700, exist_ok=True)
    with open_socket_path(folder) as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.address)
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()
