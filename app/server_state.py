"""The library and its models, opened once in this process and shared by all pages and routes.

Pages run in threads of their own. Questions are answered one after the other, and sounds are located for one after the
other; but who asks never waits until somebody's sounds are located, which takes much longer.
"""

from __future__ import annotations

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

FIRST_SECONDS = 1.0
"""So long sounds are not located while what is shown first is made."""

_opening = Lock()
_asking = Lock()
_locating = ThreadPoolExecutor(1, thread_name_prefix="locating")


def library() -> Library:
    """The library that is served (`PESEARCH_LIBRARY`, which `serve` sets). Raises LibraryError while there is none."""
    with _opening:
        return _library(default_library())


def has_library() -> bool:
    """Whether there is one. Raises LibraryError where it cannot be used."""
    try:
        library()
    except LibraryNotFound:
        return False
    return True


def models() -> ModelSet:
    """The models that made it; their weights load when they are first used. Raises ModelError, ModelMismatch."""
    with _opening:
        return _models(default_library())


def answer(request: SearchRequest) -> SearchResult:
    """The answer to a question, after those that were asked before it. Raises as `search`."""
    if request.locate:
        return located(request, (), Event()).result()
    shared, embedding = library(), models()
    with _asking:
        return search(shared, embedding, request)


def located(request: SearchRequest, after: Sequence[Future[bytes]], unwanted: Event) -> Future[SearchResult]:
    """The answer with its sounds located, which begins after those `after`, for both want all cores, though it waits
    FIRST_SECONDS at most, and ends early when it is unwanted. Raises as `search`."""
    shared, embedding = library(), models()

    def locate() -> SearchResult:
        wait(after, FIRST_SECONDS)
        return search(shared, embedding, request, unwanted)

    return _locating.submit(locate)


def curves(request: SearchRequest, file: MediaFile) -> tuple[Curve, ...]:
    """How relevant a file is to a question over its time, after what was asked before. Raises as `search`."""
    shared, embedding = library(), models()
    with _asking:
        return relevance(shared, embedding, request, file)


def warm() -> None:
    """Begin to load, in the background and once, what the first question of words would else wait for."""
    with _opening:
        _warming(default_library())


@cache
def _library(folder: Path) -> Library:
    return open_library(folder)


@cache
def _models(folder: Path) -> ModelSet:
    return models_of(_library(folder), "auto")


@cache
def _warming(folder: Path) -> Thread:
    thread = Thread(target=_ask_something, name=f"warming {folder}", daemon=True)
    thread.start()
    return thread


def _ask_something() -> None:
    try:
        answer(SearchRequest("sound", k=1))
    except PesearchError:
        return  # a page that asks will be told
