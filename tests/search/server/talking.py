"""The two ends of a socket, for tests that talk as no client and no page does."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pesearch.search.query.request import SearchRequest
from pesearch.search.server.socket_path import open_socket_path, socket_folder
from pesearch.store.library import Library

QUESTION = SearchRequest("siren and train")


def connected(library: Library) -> socket.socket:
    """A client that can say what it likes."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    with open_socket_path(library.folder) as path:
        connection.connect(path.address)
    return connection


def is_ended(connection: socket.socket) -> bool:
    """Whether the other side hangs up without a word; it may not have read to the end."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@contextmanager
def pretending(library: Library, talk: Callable[[socket.socket], None]) -> Iterator[None]:
    """Something else in the place of the page, which does with its one client whatever `talk` does."""
    socket_folder().mkdir(mode=0o700, exist_ok=True)
    with open_socket_path(library.folder) as path, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path.address)
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()
