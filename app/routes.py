"""The routes of media: files by byte ranges, and pictures and cuts that are made when they are first asked for.

A file is named by its id in the library and times are whole milliseconds: no path ever comes from a browser.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from threading import Event

from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from pesearch.app.browser_formats import content_type
from pesearch.app.clip_archive import archive_path
from pesearch.app.jobs import CORES, Jobs, NobodyWaits
from pesearch.app.pictures import Picture, picture_bytes, thumb_of, wave_of
from pesearch.app.server_state import library
from pesearch.app.storage_folders import kept_folder
from pesearch.app.urls import (
    CLIP,
    CLIPS,
    LONGEST_STRETCH_MS,
    PROXY,
    THUMB,
    THUMB_WIDTHS,
    VERSION,
    WAVE,
    WIDTH,
    version,
)
from pesearch.errors import MediaError, PesearchError
from pesearch.media.proxy import write_proxy
from pesearch.store.derived.lru_folder import PROXY_FOLDER, LruFolder
from pesearch.store.derived.previews import nearest_preview
from pesearch.types import MediaFile

MOST_PROXY_BYTES = 4 << 30

CLIPS_NAME = "pesearch-clips.zip"

_FOR_EVER = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"

_proxy_jobs = Jobs[Path](at_once=max(CORES // 2, 1))  # each uses two cores


class _Number(Convertor[int]):
    """Digits, of which Python converts any number that a day of milliseconds needs, and not thousands."""

    regex = "[0-9]{1,12}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("number", _Number())


def media_routes() -> list[BaseRoute]:
    """The routes, and for each the end of all addresses below it that are none: Streamlit would give its page there."""
    stretch = "{file_id:number}/{start_ms:number}-{end_ms:number}"
    return [
        Route(f"/{CLIP}/{{file_id:number}}", _answering(clip)),
        Route(f"/{THUMB}/{{file_id:number}}/{{at_ms:number}}.jpg", _answering(thumb)),
        Route(f"/{WAVE}/{stretch}.png", _answering(wave)),
        Route(f"/{PROXY}/{stretch}.mp4", _answering(proxy)),
        Route(f"/{PROXY}/{stretch}.m4a", _answering(proxy)),
        Route(f"/{CLIPS}/{{name}}.zip", _answering(clips)),
        *(Route(f"/{name}/{{rest:path}}", _nothing) for name in (CLIP, THUMB, WAVE, PROXY, CLIPS)),
    ]


async def clip(request: Request) -> Response:
    """One media file of the library, whole or the byte ranges asked for."""
    file = await _file(request)
    kind, path = await run_in_threadpool(lambda: (content_type(file), file.path))
    return FileResponse(path, media_type=kind, headers={"Cache-Control": _ASK_AGAIN})


async def thumb(request: Request) -> Response:
    """The picture of a file at a time; of one that is away the nearest that was kept."""
    file, at_ms = await _file(request), request.path_params["at_ms"]
    width = request.query_params.get(WIDTH, str(THUMB_WIDTHS[0]))
    if width not in map(str, THUMB_WIDTHS):
        return PlainTextResponse(f"Pictures are {', '.join(map(str, THUMB_WIDTHS))} pixels wide.", 400)

    try:
        return await _pictured(request, file, thumb_of(file, at_ms / 1000, int(width)))
    except MediaError:
        # it is away, or damaged here: what was kept when it was indexed is shown until it can be had
        kept = await run_in_threadpool(nearest_preview, library().folder, file.fingerprint, at_ms / 1000)
        if kept is None:
            raise
        return Response(kept, media_type="image/jpeg", headers={"Cache-Control": _ASK_AGAIN})


async def wave(request: Request) -> Response:
    """The waveform of a stretch of a file."""
    file, (start_ms, end_ms) = await _file(request), _stretch(request)
    return await _pictured(request, file, wave_of(file, start_ms / 1000, end_ms / 1000))


async def proxy(request: Request) -> Response:
    """A stretch of a file as a browser can play it, whole or the byte ranges asked for."""
    file, (start, end) = await _file(request), _stretch(request)
    made = _made_proxies(library().folder)
    name = f"{file.fingerprint}-{start}-{end}.mp4"

    def make(unwanted: Event) -> Path:
        return made.add(name, lambda path: write_proxy(file.path, start / 1000, end / 1000, path, unwanted))

    path = await run_in_threadpool(made.path, name) or await _proxy_jobs.result(request, name, make)
    kind = "video/mp4" if file.info.video else "audio/mp4"
    return FileResponse(path, media_type=kind, headers=_headers(request, file, name))


async def clips(request: Request) -> Response:
    """The clips that were cut for a tray, to be kept."""
    path = await run_in_threadpool(archive_path, request.path_params["name"], library().folder)
    if path is None:
        return await _nothing(request)
    return FileResponse(path, media_type="application/zip", filename=CLIPS_NAME, headers={"Cache-Control": "no-store"})


class NotServed(PesearchError):
    """A stretch that is none, or is too long."""


async def _pictured(request: Request, file: MediaFile, picture: Picture) -> Response:
    """A picture from the browser's cache, or from ours."""
    headers = _headers(request, file, picture.name)
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    content = await picture_bytes(request, library().folder, picture)
    return Response(content, media_type=picture.media_type, headers=headers)


async def _file(request: Request) -> MediaFile:
    """The file of an address. Raises LibraryError when the library has none of that number."""
    return await run_in_threadpool(lambda: library().file(request.path_params["file_id"]))


def _stretch(request: Request) -> tuple[int, int]:
    start, end = request.path_params["start_ms"], request.path_params["end_ms"]
    if not 0 < end - start <= LONGEST_STRETCH_MS:
        raise NotServed(f"A stretch ends after it starts, at most {LONGEST_STRETCH_MS // 1000} s later.")
    return start, end


def _headers(request: Request, file: MediaFile, name: str) -> dict[str, str]:
    """What was made is known by its name. A browser may keep it for ever, where the address says of what it is."""
    is_named = request.query_params.get(VERSION) == version(file)
    return {"ETag": f'"{name}"', "Cache-Control": _FOR_EVER if is_named else _ASK_AGAIN}


def _answering(serve: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """With one line where there is nothing to serve."""

    async def answer(request: Request) -> Response:
        try:
            return await serve(request)
        except NotServed as error:
            return PlainTextResponse(str(error), 400)
        except NobodyWaits:
            return Response(status_code=499)  # read by nobody
        except PesearchError as error:
            return PlainTextResponse(str(error), 404)
        except OSError as error:
            return PlainTextResponse(f"This cannot be had now: {error.strerror}.", 503)

    return answer


async def _nothing(_: Request) -> Response:
    return PlainTextResponse("There is nothing at this address.", 404)


@cache
def _made_proxies(library: Path) -> LruFolder:
    return LruFolder(kept_folder(library, PROXY_FOLDER), MOST_PROXY_BYTES)
