"""The endpoints of the API. Each is a function whose annotations and docstring are its documentation: the routes and
the OpenAPI document are made of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, partial
from threading import Event
from typing import Any, get_type_hints

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pesearch.app.http_api.answers import (
    FilesObject,
    MomentDetailsObject,
    describe_library,
    describe_moment,
    find_moments,
    list_files,
    locate_sounds_of,
)
from pesearch.app.http_api.parameters import (
    EventsParameters,
    FilesParameters,
    MomentParameters,
    NoParameters,
    PictureParameters,
    SearchParameters,
)
from pesearch.app.jobs import Jobs
from pesearch.app.json_errors import JSON_TYPE
from pesearch.app.library_status import StatusObject
from pesearch.app.routes import proxy_response, thumbnail_response
from pesearch.app.server_state import library
from pesearch.search.json_types import EventsObject, ResultObject

_search_jobs = Jobs[ResultObject](max_threads=2)
"""One may locate sounds, for seconds. A request of which the client has gone is not searched for."""

_events_jobs = Jobs[EventsObject](max_threads=1)  # it uses all cores

_INTERVAL = "/api/moments/{file_id:number}/{start_ms:number}-{end_ms:number}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path with its parameters, as Starlette writes them; a function; and the media type of its answer.

    The function takes a request and its parameters, a Struct, and returns a JSON object or a Response.
    """

    path: str
    respond: Callable[[Request, Any], Awaitable[Any]]
    media_type: str = JSON_TYPE

    @property
    def parameters(self) -> type[Struct]:
        """All parameters, those in the path too."""
        kind: type[Struct] = _hints(self.respond)["parameters"]
        return kind

    @property
    def answer(self) -> Any:
        """The type of the JSON object."""
        return _hints(self.respond)["return"]

    @property
    def summary(self) -> str:
        """One line for people."""
        return (self.respond.__doc__ or "").partition("\n")[0]


async def search(request: Request, parameters: SearchParameters) -> ResultObject:
    """Moments that match a query, best first: the JSON of `pesearch query --json`."""
    return await _search_jobs.result(request, str(id(request)), partial(find_moments, parameters))


async def files(_: Request, parameters: FilesParameters) -> FilesObject:
    """Files of the library that meet conditions."""
    return await run_in_threadpool(list_files, parameters)


async def moment(_: Request, parameters: MomentParameters) -> MomentDetailsObject:
    """A moment of a file, with the subtitles and other timed texts in it."""
    return await run_in_threadpool(describe_moment, parameters)


async def picture(request: Request, parameters: PictureParameters) -> Response:
    """The frame halfway through a moment; a stored preview if the file is offline."""
    file = await run_in_threadpool(library().file, parameters.file_id)
    return await thumbnail_response(request, file, (parameters.start_ms + parameters.end_ms) // 2, parameters.width)


async def clip(request: Request, parameters: MomentParameters) -> Response:
    """A moment of at most 600 s as MP4, H.264 of at most 1280 x 720 and AAC, whole or by byte ranges."""
    file = await run_in_threadpool(library().file, parameters.file_id)
    return await proxy_response(request, file, parameters.start_ms, parameters.end_ms)


async def events(request: Request, parameters: EventsParameters) -> EventsObject:
    """Onset and offset of named sounds in a file: the JSON of `pesearch events --json`."""

    def work(cancelled: Event) -> EventsObject:
        return locate_sounds_of(parameters, cancelled)

    return await _events_jobs.result(request, repr(parameters), work)


async def status(_: Request, parameters: NoParameters) -> StatusObject:
    """What the library contains and lacks: the JSON of `pesearch status --json`."""
    return await run_in_threadpool(describe_library)


ENDPOINTS = (
    Endpoint("/api/search", search),
    Endpoint("/api/files", files),
    Endpoint(_INTERVAL, moment),
    Endpoint(f"{_INTERVAL}/picture.jpg", picture, "image/jpeg"),
    Endpoint(f"{_INTERVAL}/clip.mp4", clip, "video/mp4"),
    Endpoint("/api/events", events),
    Endpoint("/api/status", status),
)


@cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return get_type_hints(function)
