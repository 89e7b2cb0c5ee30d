"""The routes of the API: endpoints with their parameters read and their errors turned into JSON."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pesearch.app.access import TOKEN_PARAMETER
from pesearch.app.http_api.endpoints import ENDPOINTS, Endpoint
from pesearch.app.http_api.openapi import OPENAPI_PATH, openapi_document
from pesearch.app.http_api.parameters import read_parameters
from pesearch.app.jobs import ClientDisconnected
from pesearch.app.json_errors import API_PREFIX, JSON_TYPE, error_response, response_to
from pesearch.errors import PesearchError

_METHODS = ("GET", "HEAD")


def api_routes() -> list[BaseRoute]:
    """The routes, with one that answers 404 or 405 to everything else below the prefix."""
    return [
        *(Route(endpoint.path, _responding(endpoint)) for endpoint in ENDPOINTS),
        Route(OPENAPI_PATH, _describe),
        Route(f"{API_PREFIX}{{rest:path}}", _refuse, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    ]


def _responding(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        try:
            parameters = read_parameters(endpoint.parameters, request, TOKEN_PARAMETER)
            answer = await endpoint.respond(request, parameters)
        except ClientDisconnected:
            return Response(status_code=499)
        except PesearchError as error:
            return response_to(error)
        except OSError as error:
            return error_response(f"Temporarily unavailable: {error.strerror}.", 503)
        return answer if isinstance(answer, Response) else _json(answer)

    return respond


async def _describe(_: Request) -> Response:
    return _json(openapi_document())


async def _refuse(request: Request) -> Response:
    if request.method not in _METHODS:
        return error_response("Only GET and HEAD are allowed.", 405, {"Allow": ", ".join(_METHODS)})
    return error_response(f"There is nothing at this address: {OPENAPI_PATH} lists all.", 404)


def _json(answer: object) -> Response:
    """JSON in ASCII, which keeps paths with invalid UTF-8 as `--json` does."""
    return Response(json.dumps(answer), headers={"Cache-Control": "private, no-cache"}, media_type=JSON_TYPE)
