"""Thumbnails and waveforms for pages: cached in the library, and each made once, on request or a little before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from pesearch.app.jobs import CORES, Jobs
from pesearch.app.server_state import library
from pesearch.app.storage_folders import thumbnail_cache
from pesearch.app.urls import THUMB_WIDTHS, interval_ms, thumb_ms, thumb_url, wave_url
from pesearch.errors import MediaError
from pesearch.media.proxy import render_waveform
from pesearch.media.thumbnails import thumbnail
from pesearch.media.verified_file import indexed_path
from pesearch.store.library import Library
from pesearch.types import MediaFile

_jobs = Jobs[bytes](max_threads=CORES)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that can be made from a file: its URL, its name in the cache, and how to make it.

    The name contains the fingerprint of the file, so that it never stands for another picture.
    """

    url: str
    name: str
    media_type: str
    make: Callable[[], bytes]


def thumbnail_of(file: MediaFile, at_seconds: float, width: int = THUMB_WIDTHS[0]) -> Picture:
    """The frame of a file at a time, as JPEG, at most `width` pixels wide, which is one of THUMB_WIDTHS."""
    at_ms = thumb_ms(round(at_seconds * 1000))

    def make() -> bytes:
        with indexed_path(file) as path:
            return thumbnail(path, at_ms / 1000, width)

    return Picture(
        thumb_url(file, at_seconds, width),
        f"{file.fingerprint}-{at_ms}-{width}.jpg",
        "image/jpeg",
        make,
    )


def waveform_of(file: MediaFile, start_seconds: float, end_seconds: float) -> Picture:
    """The waveform of an interval of a file, as PNG."""
    start_ms, end_ms = interval_ms(start_seconds, end_seconds)
    track = library().audio_track

    def make() -> bytes:
        with indexed_path(file) as path:
            return render_waveform(path, start_ms / 1000, end_ms / 1000, track=track)

    return Picture(
        wave_url(file, start_seconds, end_seconds),
        f"{file.fingerprint}-{start_ms}-{end_ms}{f'-{track}' if track else ''}.png",
        "image/png",
        make,
    )


async def picture_bytes(request: Request, library: Path, picture: Picture) -> bytes:
    """The picture for a request, from the cache or made now.

    Raises ClientDisconnected when the client disconnects, and MediaError when the picture cannot be made.
    """
    cached = await run_in_threadpool(thumbnail_cache(library).read, picture.name)
    return cached or await _jobs.result(request, picture.name, _make_and_cache(library, picture))


def frame_bytes(library: Library, file: MediaFile, at_seconds: float, width: int) -> bytes:
    """The frame of a file at a time as JPEG; the nearest stored preview when the file is offline or damaged there.

    Waits until it is made. Raises MediaError when there is neither.
    """
    picture = thumbnail_of(file, at_seconds, width)
    if (cached := thumbnail_cache(library.folder).read(picture.name)) is not None:
        return cached
    try:
        return _jobs.start(picture.name, _make_and_cache(library.folder, picture)).result()
    except MediaError:
        if (preview := library.preview(file, at_seconds)) is None:
            raise
        return preview


def prefetch(library: Path, pictures: Iterable[Picture]) -> tuple[Future[bytes], ...]:
    """Start making the pictures that a page is about to request, except those in the cache."""
    cache = thumbnail_cache(library)
    missing = (picture for picture in pictures if cache.path(picture.name) is None)
    return tuple(_jobs.start(picture.name, _make_and_cache(library, picture)) for picture in missing)


def _make_and_cache(library: Path, picture: Picture) -> Callable[[Event], bytes]:
    def work(_: Event) -> bytes:
        content = picture.make()
        thumbnail_cache(library).keep(picture.name, content)
        return content

    return work
