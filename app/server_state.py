"""The library and its models, opened once in this process and shared by all pages and routes.

Pages run in threads of their own. Searches run one after the other, and so do searches that locate sounds, which take
much longer, in a second thread, so that no search waits for the sound detection of another.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from pathlib import Path
from threading import Event, Lock, Thread

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import LibraryNotFound, PesearchError
from pesearch.search.opening import models_of
from pesearch.search.query.request import SearchRequest
from pesearch.search.relevance_curve import Curve, relevance
from pesearch.search.search import SearchResult, search
from pesearch.settings import default_library
from pesearch.store.library import Library, open_library
from pesearch.types import MediaFile

MAX_PREFETCH_WAIT_SECONDS = 1.0
"""Locating sounds starts after the first pictures are made, or after this time."""

VERIFY_INTERVAL_SECONDS = 60.0
"""Pause between looks for new shards to verify."""

_is_read_only = False

_open_lock = Lock()
_search_lock = Lock()
_locating_thread = ThreadPoolExecutor(1, thread_name_prefix="locating")


def library() -> Library:
    """The library that is served (`PESEARCH_LIBRARY`, set by `serve`). Raises LibraryError while there is none."""
    with _open_lock:
        return _library(default_library())


def set_read_only(is_read_only: bool) -> None:
    """Whether the pages of this server are for viewers, who can neither index nor name paths."""
    global _is_read_only
    _is_read_only = is_read_only


def is_read_only() -> bool:
    """What `set_read_only` has set."""
    return _is_read_only


def has_library() -> bool:
    """Whether there is a library. Raises LibraryError when there is one that cannot be used."""
    try:
        library()
    except LibraryNotFound:
        return False
    return True


def models() -> ModelSet:
    """The models that made the library; weights load on first use. Raises ModelError, ModelMismatch."""
    with _open_lock:
        return _models(default_library())


def run_search(request: SearchRequest, cancelled: Event | None = None) -> SearchResult:
    """Search, after all earlier requests. Once `cancelled` is set no more sounds are located. Raises the errors of
    `search`."""
    if request.locate:
        return locate_sounds(request, (), cancelled or Event()).result()
    opened, opened_models = library(), models()
    with _search_lock:
        return search(opened, opened_models, request)


def locate_sounds(request: SearchRequest, pictures: Sequence[Future[bytes]], cancelled: Event) -> Future[SearchResult]:
    """Search and locate the sounds named in the query, in the background.

    Waits for `pictures` first, at most MAX_PREFETCH_WAIT_SECONDS, because both use all cores. Once `cancelled` is set
    no more sounds are located. Raises the errors of `search`.
    """
    opened, opened_models = library(), models()

    def locate() -> SearchResult:
        wait(pictures, MAX_PREFETCH_WAIT_SECONDS)
        return search(opened, opened_models, request, cancelled)

    return _locating_thread.submit(locate)


def relevance_curves(request: SearchRequest, file: MediaFile) -> tuple[Curve, ...]:
    """The relevance of a file to a query over time, after all earlier requests. Raises the errors of `search`."""
    opened, opened_models = library(), models()
    with _search_lock:
        return relevance(opened, opened_models, request, file)


def preload_models() -> None:
    """Load the models in the background, once, so that the first search does not wait for them."""
    with _open_lock:
        _preload(default_library())


@cache
def _library(folder: Path) -> Library:
    opened = open_library(folder)
    Thread(target=_verify, args=(opened,), name=f"verify {folder}", daemon=True).start()
    return opened


def _verify(opened: Library) -> None:
    """Verify the shards of a library, those of later commits too, in at most half of the time."""
    while True:
        started = time.monotonic()
        try:
            for _ in opened.verify():
                time.sleep(time.monotonic() - started)
                started = time.monotonic()
        except PesearchError:
            pass  # its drive is disconnected, or a search reports it; verified as soon as it can be read
        time.sleep(VERIFY_INTERVAL_SECONDS)


@cache
def _models(folder: Path) -> ModelSet:
    return models_of(_library(folder), "auto")


@cache
def _preload(folder: Path) -> Thread:
    thread = Thread(target=_run_any_search, name=f"preload {folder}", daemon=True)
    thread.start()
    return thread


def _run_any_search() -> None:
    try:
        run_search(SearchRequest("sound", k=1))
    except PesearchError:
        return  # the first search of a page shows the error
