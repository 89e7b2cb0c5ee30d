"""The client of a running page. It imports no models and no indexes, since the page has them loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.errors import PesearchError
from pesearch.search.query.request import SearchRequest
from pesearch.search.result import SearchResult
from pesearch.search.server.messages import Environment, QueryMessage, ReplyMessage, from_bytes, to_bytes
from pesearch.search.server.socket_path import open_socket_path
from pesearch.search.server.unix_sockets import has_unix_sockets, new_socket
from pesearch.search.server.wire import MAX_REPLY_BYTES, BadMessage, VersionMismatch, is_same_user, receive, send
from pesearch.settings import expand_home

CONNECT_SECONDS = 1.0
"""Time limit for connecting, and for sending the query."""

REPLY_SECONDS = 60.0
"""Time limit for the reply. The first query to a page waits until its models are loaded."""


class NotServed(Exception):
    """No other process answers this query; the message gives users the reason."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a query: a result, or the error that a search in this process would raise.

    `notice` is the notice of the model set to show with each use; None if no model was used.
    """

    outcome: SearchResult | PesearchError
    notice: str | None

    def result(self) -> SearchResult:
        """Returns the result or raises the error."""
        if isinstance(self.outcome, PesearchError):
            raise self.outcome
        return self.outcome


def ask_server(library: Path, request: SearchRequest, device: str) -> Answer:
    """Sends a request to the process that serves a library; relative paths start at the current folder of this one.

    Raises NotServed.
    """
    if not has_unix_sockets():
        raise NotServed("a page answers no queries of other processes on this system")
    try:
        return _to_answer(_exchange(library, _to_query(request, device)), library)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotServed("no page is running") from error
    except TimeoutError as error:
        raise NotServed(f"the running page did not answer in {REPLY_SECONDS:.0f} s") from error
    except VersionMismatch as error:
        raise NotServed("the running page is another version of pesearch") from error
    except (BadMessage, ConnectionError, ValueError) as error:
        raise NotServed("the running page gave no answer") from error
    except OSError as error:
        raise NotServed(f"cannot connect to a running page: {error.strerror or error}") from error


def _to_query(request: SearchRequest, device: str) -> QueryMessage:
    """The message for a request, with absolute paths."""
    files = replace(request.files, under=tuple(expand_home(path).absolute() for path in request.files.under))
    return QueryMessage(replace(request, files=files, folder=request.folder.absolute()), device, Environment.current())


def _exchange(library: Path, query: QueryMessage) -> ReplyMessage:
    with open_socket_path(library) as path, new_socket() as connection:
        connection.settimeout(CONNECT_SECONDS)
        connection.connect(path.address)
        if not is_same_user(connection):
            raise PermissionError("it belongs to another user")
        send(connection, to_bytes(query), CONNECT_SECONDS)
        return from_bytes(ReplyMessage, receive(connection, MAX_REPLY_BYTES, REPLY_SECONDS))


def _to_answer(reply: ReplyMessage, library: Path) -> Answer:
    if reply.result is not None:
        return Answer(replace(reply.result, library=library), reply.notice)
    if reply.error is not None:
        return Answer(reply.error.to_error(), reply.notice)
    raise NotServed(reply.declined or "the running page gave no answer")
