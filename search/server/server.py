"""The server in a process that has a library and its models open; each client has a thread.

    with serve_queries(folder, models, answer) as problem:
        ...

A client that hangs, sends garbage or belongs to another user costs a thread for a few seconds and nothing else.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING

from pesearch.errors import ModelMismatch, PesearchError, QueryError, QuerySyntaxError
from pesearch.search.query.request import SearchRequest
from pesearch.search.result import SearchResult
from pesearch.search.server.messages import (
    Environment,
    ErrorMessage,
    QueryMessage,
    ReplyMessage,
    from_bytes,
    to_bytes,
)
from pesearch.search.server.socket_path import claim_socket_path
from pesearch.search.server.unix_sockets import has_unix_sockets, new_socket, stop_accepting
from pesearch.search.server.wire import MAX_QUERY_BYTES, BadMessage, VersionMismatch, is_same_user, receive, send

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet

MAX_CLIENTS = 32
"""Further connections are closed at once; their clients search in their own process."""

CLIENT_SECONDS = 5.0
"""Time limit of a client for sending its query, and for receiving the reply."""

SHUTDOWN_SECONDS = 10.0
"""Time that a shutdown waits for queries in progress."""

_ACCEPT_RETRY_SECONDS = 0.2


@contextmanager
def serve_queries(
    library: Path, models: Callable[[], ModelSet], answer: Callable[[SearchRequest], SearchResult]
) -> Iterator[str | None]:
    """Answers `ask_server` of other processes in the background. Yields None, or one line with the reason why it
    cannot. On systems without Unix sockets it does nothing.

    `models` and `answer` are called in several threads at a time, and not before the first query. They may raise
    PesearchError.
    """
    if not has_unix_sockets():
        yield None
        return
    problem = None
    with ExitStack() as stack:
        try:
            listener = stack.enter_context(_listening(library))
        except OSError as error:
            problem = f"pesearch query cannot use this page's models: {error.strerror or error}"
        else:
            stack.enter_context(_Server(listener, models, answer))
        yield problem


@contextmanager
def _listening(library: Path) -> Iterator[socket.socket]:
    """The listening socket of a library; replaces that of a process that died. Raises OSError."""
    with claim_socket_path(library) as path, new_socket() as listener:
        path.remove()
        listener.bind(path.address)
        try:
            Path(path.address).chmod(0o600)
            listener.listen()
            yield listener
        finally:
            path.remove()


class _Server:
    """Accepts clients from entering the context until leaving it."""

    def __init__(
        self, listener: socket.socket, models: Callable[[], ModelSet], answer: Callable[[SearchRequest], SearchResult]
    ) -> None:
        self._listener, self._models, self._answer = listener, models, answer
        self._is_stopping = Event()
        self._acceptor = Thread(target=self._accept, name="pesearch-server", daemon=True)
        self._clients: list[Thread] = []

    def __enter__(self) -> None:
        self._acceptor.start()

    def __exit__(self, *_: object) -> None:
        self._is_stopping.set()
        stop_accepting(self._listener)
        self._acceptor.join()
        deadline = monotonic() + SHUTDOWN_SECONDS
        for client in self._clients:
            client.join(max(deadline - monotonic(), 0.0))

    def _accept(self) -> None:
        while not self._is_stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:  # the server stops, or the process has too many open files at the moment
                self._is_stopping.wait(_ACCEPT_RETRY_SECONDS)
                continue
            self._clients = [client for client in self._clients if client.is_alive()]
            if len(self._clients) >= MAX_CLIENTS:
                connection.close()
                continue
            self._clients.append(Thread(target=self._serve, args=(connection,), name="pesearch-server", daemon=True))
            self._clients[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        """Serves one client. Its faults are ignored; a fault of the server ends this thread with a traceback, and the
        client searches in its own process."""
        with connection:
            query = _receive_query(connection)
            if query is not None:
                reply = to_bytes(self._reply(query))
                with suppress(OSError):
                    send(connection, reply, CLIENT_SECONDS)

    def _reply(self, query: QueryMessage) -> ReplyMessage:
        if query.environment != Environment.current():
            return ReplyMessage(declined="the running page has another home folder or time zone")
        notice = None
        try:
            models = self._models()
            if query.device not in ("auto", models.device):
                return ReplyMessage(declined=f"the running page computes on {models.device}, not on {query.device}")
            notice = models.notice
            return ReplyMessage(self._answer(query.request), notice=notice)
        except ModelMismatch:
            return ReplyMessage(declined="the running page has other models than the library")
        except QuerySyntaxError as error:  # raised before any model is used: no notice
            return ReplyMessage(error=ErrorMessage.of(error))
        except PesearchError as error:
            return ReplyMessage(error=ErrorMessage.of(error), notice=notice)


def _receive_query(connection: socket.socket) -> QueryMessage | None:
    """The query of a client of this user; None for other users and invalid messages."""
    try:
        if not is_same_user(connection):
            return None
        return from_bytes(QueryMessage, receive(connection, MAX_QUERY_BYTES, CLIENT_SECONDS))
    except VersionMismatch:
        with suppress(OSError):
            send(connection, b"", CLIENT_SECONDS)  # the header has the version of this side
        return None
    except (BadMessage, ValueError, QueryError, OSError):
        return None
