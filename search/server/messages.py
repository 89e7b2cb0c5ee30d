"""The wire messages, as JSON: a query, and the reply with its result or error.

Python's json module encodes them, which keeps paths with invalid UTF-8 (`os.fsdecode`), infinities and NaN; msgspec
converts the objects to dataclasses and rejects other shapes.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pesearch import errors
from pesearch.errors import PesearchError
from pesearch.search.query.request import SearchRequest
from pesearch.search.result import SearchResult

Message = TypeVar("Message")


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment that a search depends on: the home folder for `~/`, the time zone for dates."""

    home: str
    time_zone: str

    @classmethod
    def current(cls) -> Environment:
        """The environment of this process."""
        return cls(os.environ.get("HOME", ""), os.environ.get("TZ", "/".join(time.tzname)))


@dataclass(frozen=True, slots=True)
class QueryMessage:
    """A request of another process; its paths are absolute, or relative to an absolute folder."""

    request: SearchRequest
    device: str
    environment: Environment


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """A PesearchError: the name of its class, and its arguments."""

    name: str
    arguments: tuple[str | int, ...]

    @classmethod
    def of(cls, error: PesearchError) -> ErrorMessage:
        """The message for an error."""
        return cls(type(error).__name__, error.args)

    def to_error(self) -> PesearchError:
        """Builds the error. Raises ValueError if there is no such class, or it takes other arguments."""
        kind = getattr(errors, self.name, None)
        if not (isinstance(kind, type) and issubclass(kind, PesearchError)):
            raise ValueError(f"{self.name!r} is not an error of pesearch")
        try:
            return kind(*self.arguments)
        except TypeError as error:
            raise ValueError(f"{self.name} takes other arguments") from error


@dataclass(frozen=True, slots=True)
class ReplyMessage:
    """One of `result`, `error` and `declined` is set.

    declined: The reason why the server does not answer, as a phrase for users; the client then searches in its process.
    notice: A notice of the model set to show with each use, such as its license.
    """

    result: SearchResult | None = None
    error: ErrorMessage | None = None
    declined: str | None = None
    notice: str | None = None


def to_bytes(message: object) -> bytes:
    """Encodes a message as JSON."""
    return json.dumps(msgspec.to_builtins(message, enc_hook=_encode_path)).encode()


def from_bytes(kind: type[Message], data: bytes) -> Message:
    """Decodes a message of a kind. Raises ValueError for other bytes, QueryError for an invalid request."""
    try:
        return msgspec.convert(json.loads(data), kind, dec_hook=_decode_path)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error


def _encode_path(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value)} cannot be encoded")


def _decode_path(kind: type, value: Any) -> Path:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"{value!r} is not a {kind}")
