"""Pictures for pages: those that were made before, and others made once, when asked for or a little earlier."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Event

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from pesearch.app.jobs import CORES, Jobs
from pesearch.app.urls import THUMB_WIDTHS, snapped, stretch_ms, thumb_address, wave_address
from pesearch.media.proxy import render_waveform
from pesearch.media.thumbnails import thumbnail
from pesearch.store.derived.lru_folder import THUMBNAIL_FOLDER, LruFolder
from pesearch.types import MediaFile

MOST_BYTES = 512 << 20

_jobs = Jobs[bytes](at_once=CORES)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that can be made of a file: where a browser asks for it, and a name that no other picture ever has."""

    address: str
    name: str
    media_type: str
    make: Callable[[], bytes]


def thumb_of(file: MediaFile, at_seconds: float, width: int = THUMB_WIDTHS[0]) -> Picture:
    """The picture of a file at a time, as JPEG of at most that width, which is one of THUMB_WIDTHS."""
    at_ms = snapped(round(at_seconds * 1000))
    return Picture(
        thumb_address(file, at_seconds, width),
        f"{file.fingerprint}-{at_ms}-{width}.jpg",
        "image/jpeg",
        lambda: thumbnail(file.path, at_ms / 1000, width),
    )


def wave_of(file: MediaFile, start_seconds: float, end_seconds: float) -> Picture:
    """The waveform of a stretch of a file, as PNG."""
    start_ms, end_ms = stretch_ms(start_seconds, end_seconds)
    return Picture(
        wave_address(file, start_seconds, end_seconds),
        f"{file.fingerprint}-{start_ms}-{end_ms}.png",
        "image/png",
        lambda: render_waveform(file.path, start_ms / 1000, end_ms / 1000),
    )


async def picture_bytes(request: Request, library: Path, picture: Picture) -> bytes:
    """A picture for a request. Errors: NobodyWaits when that has gone; MediaError where none can be made."""
    made = _made(library)
    kept = await run_in_threadpool(made.read, picture.name)
    return kept or await _jobs.result(request, picture.name, _making(made, picture))


def begin(library: Path, pictures: Iterable[Picture]) -> tuple[Future[bytes], ...]:
    """Begin to make, of the pictures that a page is about to ask for, those that were not made before."""
    made = _made(library)
    missing = (picture for picture in pictures if made.path(picture.name) is None)
    return tuple(_jobs.begin(picture.name, _making(made, picture)) for picture in missing)


def _making(made: LruFolder, picture: Picture) -> Callable[[Event], bytes]:
    def make_and_keep(_: Event) -> bytes:
        content = picture.make()
        made.keep(picture.name, content)
        return content

    return make_and_keep


@cache
def _made(library: Path) -> LruFolder:
    return LruFolder(library / THUMBNAIL_FOLDER, MOST_BYTES)
