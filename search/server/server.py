"""The side that has a library and its models open: it answers in threads.

    with serving_questions(folder, models, answer) as trouble:
        ...

A client that hangs, sends rubbish or is another user's costs a thread for some seconds and nothing else.
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
from pesearch.search.server.messages import Asking, Refusal, Reply, Surroundings, from_bytes, to_bytes
from pesearch.search.server.socket_path import own_place_of
from pesearch.search.server.wire import LONGEST_QUESTION, BadFrame, OtherVersion, is_same_user, receive, send

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet

MAX_CLIENTS = 32
"""More at once are sent away, and answer for themselves."""

CLIENT_SECONDS = 5.0
"""A client has so long to put its question, and so long to take its answer."""

LAST_SECONDS = 10.0
"""So long is waited at the end for questions that are being answered."""

_PAUSE_SECONDS = 0.2


@contextmanager
def serving_questions(
    library: Path, models: Callable[[], ModelSet], answer: Callable[[SearchRequest], SearchResult]
) -> Iterator[str | None]:
    """Answers `ask_server` of other processes while it lasts. Gives one line that says why not, where it cannot.

    `models` and `answer` are called in threads, several at a time, and not before somebody asks. They may raise
    PesearchError.
    """
    trouble = None
    with ExitStack() as stack:
        try:
            listening = stack.enter_context(_listening(library))
        except OSError as error:
            trouble = f"pesearch query cannot use this page's models: {error.strerror or error}"
        else:
            stack.enter_context(_Server(listening, models, answer))
        yield trouble


@contextmanager
def _listening(library: Path) -> Iterator[socket.socket]:
    """The socket of a library, taken over from a process that died. Raises OSError."""
    with own_place_of(library) as place, socket.socket(socket.AF_UNIX) as listening:
        place.remove()
        listening.bind(place.address)
        try:
            Path(place.address).chmod(0o600)
            listening.listen()
            yield listening
        finally:
            place.remove()


class _Server:
    """Answers whoever connects, from when it is entered until it is left."""

    def __init__(
        self, listening: socket.socket, models: Callable[[], ModelSet], answer: Callable[[SearchRequest], SearchResult]
    ) -> None:
        self._listening, self._models, self._answer = listening, models, answer
        self._leaving = Event()
        self._accepting = Thread(target=self._accept, name="pesearch-warm", daemon=True)
        self._clients: list[Thread] = []

    def __enter__(self) -> None:
        self._accepting.start()

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        until = monotonic() + LAST_SECONDS
        for client in self._clients:
            client.join(max(until - monotonic(), 0.0))

    def _accept(self) -> None:
        while not self._leaving.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:  # it ends, or this process has too many files open at the moment
                self._leaving.wait(_PAUSE_SECONDS)
                continue
            self._clients = [client for client in self._clients if client.is_alive()]
            if len(self._clients) >= MAX_CLIENTS:
                connection.close()
                continue
            self._clients.append(Thread(target=self._serve, args=(connection,), name="pesearch-warm", daemon=True))
            self._clients[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        """One client. Where it did wrong or is gone, that is its own affair. A mistake of ours ends this thread, which
        tells it; the client answers for itself."""
        with connection:
            asking = _hear(connection)
            if asking is not None:
                reply = to_bytes(self._reply(asking))
                with suppress(OSError):
                    send(connection, reply, CLIENT_SECONDS)

    def _reply(self, asking: Asking) -> Reply:
        if asking.around != Surroundings.here():
            return Reply(not_here="the running page has another home folder or time zone")
        notice = None
        try:
            models = self._models()
            if asking.device not in ("auto", models.device):
                return Reply(not_here=f"the running page computes on {models.device}, not on {asking.device}")
            notice = models.notice
            return Reply(self._answer(asking.request), notice=notice)
        except ModelMismatch:
            return Reply(not_here="the running page has other models than the library has now")
        except QuerySyntaxError as error:  # is told before any model is used
            return Reply(refusal=Refusal.of(error))
        except PesearchError as error:
            return Reply(refusal=Refusal.of(error), notice=notice)


def _hear(connection: socket.socket) -> Asking | None:
    """What a client of this user asks; None where it is none, or asks nothing."""
    try:
        if not is_same_user(connection):
            return None
        return from_bytes(Asking, receive(connection, LONGEST_QUESTION, CLIENT_SECONDS))
    except OtherVersion:
        with suppress(OSError):
            send(connection, b"", CLIENT_SECONDS)  # says our version
        return None
    except (BadFrame, ValueError, QueryError, OSError):
        return None
