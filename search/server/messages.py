"""What is said over the socket: a question, and the answer or the error that comes of it, as JSON.

The JSON is Python's own, in which paths of any bytes (`os.fsdecode`), infinities and NaN stay what they are; msgspec
makes the dataclasses of it, and refuses what they cannot hold.
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
class Surroundings:
    """What of the asking process an answer depends on: what `~/` means, and when a day begins."""

    home: str
    time_zone: str

    @classmethod
    def here(cls) -> Surroundings:
        """Those of this process."""
        return cls(os.environ.get("HOME", ""), os.environ.get("TZ", "/".join(time.tzname)))


@dataclass(frozen=True, slots=True)
class Asking:
    """A question of another process, whose paths are absolute or start at an absolute folder."""

    request: SearchRequest
    device: str
    around: Surroundings


@dataclass(frozen=True, slots=True)
class Refusal:
    """A PesearchError: the name of its class, and what it was made of."""

    name: str
    told: tuple[str | int, ...]

    @classmethod
    def of(cls, error: PesearchError) -> Refusal:
        """The error as it can be sent."""
        return cls(type(error).__name__, error.args)

    def error(self) -> PesearchError:
        """The same error again. ValueError where there is none of that name."""
        kind = getattr(errors, self.name, None)
        if not (isinstance(kind, type) and issubclass(kind, PesearchError)):
            raise ValueError(f"no error is called {self.name!r}")
        try:
            return kind(*self.told)
        except TypeError as error:
            raise ValueError(f"{self.name} is made of something else") from error


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes of a question: an answer, what is wrong with it, or why it is not answered here.

    `notice` is what the models want to have told each time they are used.
    """

    answer: SearchResult | None = None
    refusal: Refusal | None = None
    not_here: str | None = None
    notice: str | None = None


def to_bytes(message: object) -> bytes:
    """A message as JSON."""
    return json.dumps(msgspec.to_builtins(message, enc_hook=_plain)).encode()


def from_bytes(kind: type[Message], data: bytes) -> Message:
    """A message of that kind. ValueError where it is none, QueryError for a question that cannot be asked."""
    try:
        return msgspec.convert(json.loads(data), kind, dec_hook=_made)
    except RecursionError as error:
        raise ValueError("brackets without end") from error


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value)} is not sent")


def _made(kind: type, value: Any) -> Path:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"{value!r} is no {kind}")
