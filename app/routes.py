"""Routes for media: files by byte ranges, and pictures, proxies and clip archives.

Files are named by their ids in the library and times are whole milliseconds: no path ever comes from a browser.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from threading import Event

from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from pesearch.app.browser_formats import content_type
from pesearch.app.clip_archive import archive_path
from pesearch.app.file_response import OpenFileResponse
from pesearch.app.jobs import CORES, ClientDisconnected, Jobs
from pesearch.app.pictures import Picture, picture_bytes, thumbnail_of, waveform_of
from pesearch.app.server_state import library
from pesearch.app.storage_folders import proxy_cache
from pesearch.app.urls import (
    CLIP,
    CLIPS,
    MAX_INTERVAL_MS,
    PROXY,
    THUMB,
    THUMB_WIDTHS,
    VERSION_PARAMETER,
    WAVE,
    WIDTH_PARAMETER,
    version,
)
from pesearch.errors import MediaError, PesearchError, QueryError
from pesearch.media.proxy import write_proxy
from pesearch.media.verified_file import indexed_path, open_indexed
from pesearch.types import MediaFile

CLIPS_FILE_NAME = "pesearch-clips.zip"
"""The name under which a browser saves a clip archive."""

_IMMUTABLE = "private, max-age=31536000, immutable"

_REVALIDATE = "private, no-cache"

_proxy_jobs = Jobs[Path](max_threads=max(CORES // 2, 1))  # FFmpeg uses two cores for each


class InvalidInterval(QueryError):
    """An interval that is empty or too long."""


class _Number(Convertor[int]):
    """At most 12 digits, which is enough for milliseconds; Python refuses to convert thousands of them."""

    regex = "[0-9]{1,12}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("number", _Number())


def media_routes() -> list[BaseRoute]:
    """The routes, each followed by one that answers 404 below its prefix, where Streamlit would serve its page."""
    interval = "{file_id:number}/{start_ms:number}-{end_ms:number}"
    return [
        Route(f"/{CLIP}/{{file_id:number}}", _with_error_responses(clip)),
        Route(f"/{THUMB}/{{file_id:number}}/{{at_ms:number}}.jpg", _with_error_responses(thumb)),
        Route(f"/{WAVE}/{interval}.png", _with_error_responses(wave)),
        Route(f"/{PROXY}/{interval}.mp4", _with_error_responses(proxy)),
        Route(f"/{PROXY}/{interval}.m4a", _with_error_responses(proxy)),
        Route(f"/{CLIPS}/{{name}}.zip", _with_error_responses(clips)),
        *(Route(f"/{name}/{{rest:path}}", _not_found) for name in (CLIP, THUMB, WAVE, PROXY, CLIPS)),
    ]


async def clip(request: Request) -> Response:
    """A media file of the library, whole or the byte ranges requested."""
    return await run_in_threadpool(_open_clip, await _file(request))


def _open_clip(file: MediaFile) -> Response:
    with ExitStack() as stack:
        opened = stack.enter_context(open_indexed(file))
        response = OpenFileResponse(opened, content_type(file, opened), {"Cache-Control": _REVALIDATE})
        stack.pop_all()  # the response closes it
        return response


async def thumb(request: Request) -> Response:
    """The frame of a file at a time."""
    file = await _file(request)
    width = request.query_params.get(WIDTH_PARAMETER, str(THUMB_WIDTHS[0]))
    if width not in map(str, THUMB_WIDTHS):
        return PlainTextResponse(f"The width must be one of {', '.join(map(str, THUMB_WIDTHS))}.", 400)
    return await thumbnail_response(request, file, request.path_params["at_ms"], int(width))


async def thumbnail_response(request: Request, file: MediaFile, at_ms: int, width: int) -> Response:
    """The frame of a file at a time; the nearest stored preview when the file is offline or damaged there.

    Raises MediaError when there is neither.
    """
    try:
        return await _picture_response(request, file, thumbnail_of(file, at_ms / 1000, width))
    except MediaError:
        preview = await run_in_threadpool(library().preview, file, at_ms / 1000)
        if preview is None:
            raise
        return Response(preview, media_type="image/jpeg", headers={"Cache-Control": _REVALIDATE})


async def wave(request: Request) -> Response:
    """The waveform of an interval of a file."""
    file, (start_ms, end_ms) = await _file(request), _interval(request)
    return await _picture_response(request, file, waveform_of(file, start_ms / 1000, end_ms / 1000))


async def proxy(request: Request) -> Response:
    """An interval of a file in a format that browsers play, whole or the byte ranges requested."""
    file, interval = await _file(request), request.path_params
    return await proxy_response(request, file, interval["start_ms"], interval["end_ms"])


async def proxy_response(request: Request, file: MediaFile, start_ms: int, end_ms: int) -> Response:
    """MP4 with H.264 of at most 1280 x 720 and AAC. Raises InvalidInterval, and MediaError when it cannot be made."""
    _ensure_interval(start_ms, end_ms)
    cache = proxy_cache(library().folder)
    track, interval = library().audio_track, (start_ms / 1000, end_ms / 1000)
    name = f"{file.fingerprint}-{start_ms}-{end_ms}{f'-{track}' if track else ''}.mp4"

    def work(cancelled: Event) -> Path:
        with indexed_path(file) as source:
            return cache.add(name, lambda target: write_proxy(source, *interval, target, cancelled, track))

    path = await run_in_threadpool(cache.path, name) or await _proxy_jobs.result(request, name, work)
    media_type = "video/mp4" if file.info.video else "audio/mp4"
    return FileResponse(path, media_type=media_type, headers=_cache_headers(request, file, name))


async def clips(request: Request) -> Response:
    """A clip archive, as a download."""
    path = await run_in_threadpool(archive_path, request.path_params["name"], library().folder)
    if path is None:
        return await _not_found(request)
    headers = {"Cache-Control": "no-store"}
    return FileResponse(path, media_type="application/zip", filename=CLIPS_FILE_NAME, headers=headers)


async def _picture_response(request: Request, file: MediaFile, picture: Picture) -> Response:
    """304 when the browser has the picture already, else the picture."""
    headers = _cache_headers(request, file, picture.name)
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    content = await picture_bytes(request, library().folder, picture)
    return Response(content, media_type=picture.media_type, headers=headers)


async def _file(request: Request) -> MediaFile:
    """The file in a URL. Raises UnknownFile when the library has none with that id."""
    return await run_in_threadpool(lambda: library().file(request.path_params["file_id"]))


def _interval(request: Request) -> tuple[int, int]:
    start_ms, end_ms = request.path_params["start_ms"], request.path_params["end_ms"]
    _ensure_interval(start_ms, end_ms)
    return start_ms, end_ms


def _ensure_interval(start_ms: int, end_ms: int) -> None:
    if not 0 < end_ms - start_ms <= MAX_INTERVAL_MS:
        raise InvalidInterval(f"An interval must end after it starts, at most {MAX_INTERVAL_MS // 1000} s later.")


def _cache_headers(request: Request, file: MediaFile, name: str) -> dict[str, str]:
    """`name` identifies the content. A browser may cache it forever when the URL contains the file's version."""
    is_versioned = request.query_params.get(VERSION_PARAMETER) == version(file)
    return {"ETag": f'"{name}"', "Cache-Control": _IMMUTABLE if is_versioned else _REVALIDATE}


def _with_error_responses(serve: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Turn errors into responses of one line of plain text."""

    async def respond(request: Request) -> Response:
        try:
            return await serve(request)
        except InvalidInterval as error:
            return PlainTextResponse(str(error), 400)
        except ClientDisconnected:
            return Response(status_code=499)  # the client has disconnected
        except PesearchError as error:
            return PlainTextResponse(str(error), 404)
        except OSError as error:
            return PlainTextResponse(f"Temporarily unavailable: {error.strerror}.", 503)

    return respond


async def _not_found(_: Request) -> Response:
    return PlainTextResponse("Not found.", 404)
