"""The side that asks: nothing of models or indexes is imported, for a process that has them answers."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.errors import PesearchError
from pesearch.search.query.request import SearchRequest
from pesearch.search.result import SearchResult
from pesearch.search.server.messages import Asking, Reply, Surroundings, from_bytes, to_bytes
from pesearch.search.server.socket_path import place_of
from pesearch.search.server.wire import LONGEST_REPLY, BadFrame, OtherVersion, is_same_user, receive, send

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 60.0
"""The first question to a page waits until its models are loaded."""


class NotServed(Exception):
    """No other process answers this question; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came back: an answer, or the error that a question of one's own would have ended in.

    `notice` is what the models want to have told each time they are used.
    """

    outcome: SearchResult | PesearchError
    notice: str | None

    def answer(self) -> SearchResult:
        """The answer. Raises the error."""
        if isinstance(self.outcome, PesearchError):
            raise self.outcome
        return self.outcome


def ask_server(library: Path, request: SearchRequest, device: str) -> Told:
    """Asks the process that has this library open, in the words of this one: with its current folder.

    Raises NotServed.
    """
    try:
        return _told(_exchange(library, _asking(request, device)), library)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotServed("no page is running") from error
    except TimeoutError as error:
        raise NotServed(f"the running page did not answer in {ANSWER_SECONDS:.0f} s") from error
    except OtherVersion as error:
        raise NotServed("the running page is another version of pesearch") from error
    except (BadFrame, ConnectionError, ValueError) as error:
        raise NotServed("the running page gave no answer") from error
    except OSError as error:
        raise NotServed(f"no page can be asked: {error.strerror or error}") from error


def _asking(request: SearchRequest, device: str) -> Asking:
    """The question as it means the same everywhere."""
    under = request.files.under
    files = replace(request.files, under=under and under.absolute())
    return Asking(replace(request, files=files, folder=request.folder.absolute()), device, Surroundings.here())


def _exchange(library: Path, asking: Asking) -> Reply:
    with place_of(library) as place, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(CONNECT_SECONDS)
        connection.connect(place.address)
        if not is_same_user(connection):
            raise PermissionError("it is another user's")
        send(connection, to_bytes(asking), CONNECT_SECONDS)
        return from_bytes(Reply, receive(connection, LONGEST_REPLY, ANSWER_SECONDS))


def _told(reply: Reply, library: Path) -> Told:
    if reply.answer is not None:
        return Told(replace(reply.answer, library=library), reply.notice)
    if reply.refusal is not None:
        return Told(reply.refusal.error(), reply.notice)
    raise NotServed(reply.not_here or "the running page gave no answer")
