"""Errors as JSON responses: what a program asked for is wrong (400), unknown (404), or impossible now (409, 503)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta
from starlette.requests import HTTPConnection
from starlette.responses import Response

from pesearch.errors import (
    FFmpegMissing,
    LibraryBusy,
    LibraryError,
    LibraryUnavailable,
    MediaError,
    ModelError,
    NoSpaceLeft,
    PesearchError,
    QueryError,
    QuerySyntaxError,
    SnapshotExpired,
    UnknownFile,
    VectorServerError,
)

API_PREFIX = "/api/"

JSON_TYPE = "application/json"

_TEMPORARY = (LibraryBusy, LibraryUnavailable, NoSpaceLeft, SnapshotExpired, VectorServerError)
"""Errors of a library that end without a repair: once another program has finished, or its disk or server answers."""


class ErrorObject(TypedDict):
    """Why a request was refused. The last three fields are those of a syntax error in a query."""

    error: Annotated[str, Meta(description="One line: what is wrong and what to do.")]
    query: NotRequired[str]
    column: NotRequired[Annotated[int, Meta(description="Where in the query, from 0.")]]
    expected: NotRequired[str]


def is_api(request: HTTPConnection) -> bool:
    """Whether a request is one to the API, whose errors are JSON."""
    return request.url.path.startswith(API_PREFIX)


def error_response(line: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """A response with one line."""
    return _response({"error": line}, status, headers)


def response_to(error: PesearchError) -> Response:
    """The response to a request that failed."""
    body: ErrorObject = {"error": " ".join(str(error).split())}
    if isinstance(error, QuerySyntaxError):
        body |= {"query": error.text, "column": error.column, "expected": error.expected}
    return _response(body, status_of(error), None)


def status_of(error: PesearchError) -> int:
    """The HTTP status of an error."""
    match error:
        case QueryError():
            return 400
        case FFmpegMissing() | ModelError():
            return 503
        case MediaError() | UnknownFile():
            return 404
        case LibraryError():
            return 503 if isinstance(error, _TEMPORARY) else 409
        case _:
            return 400


def _response(body: ErrorObject, status: int, headers: Mapping[str, str] | None) -> Response:
    return Response(json.dumps(body), status, {"Cache-Control": "no-store", **(headers or {})}, JSON_TYPE)
