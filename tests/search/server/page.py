"""Servers of a library in this process, as a page has one."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from typing import Any

from pesearch.search.query.plan import compile_query
from pesearch.search.query.request import SearchRequest
from pesearch.search.result import SearchResult
from pesearch.search.search import search
from pesearch.search.server.server import serve_queries
from pesearch.store.library import Library
from tests.search.fake_models import FakeModels

REQUEST = SearchRequest("siren and train")


def serving(
    library: Library, models: Any, lock: AbstractContextManager[object] | None = None, folder: Path | None = None
) -> AbstractContextManager[str | None]:
    """Answers with real searches, one at a time, as the page does; in `folder` as the current folder."""
    one_at_a_time = lock or Lock()

    def answer(request: SearchRequest) -> SearchResult:
        with one_at_a_time, contextlib.chdir(folder or Path()):
            return search(library, models, request)

    return serve_queries(library.folder, lambda: models, answer)


def echoing(folder: Path, lock: AbstractContextManager[object] | None = None) -> AbstractContextManager[str | None]:
    """Answers each valid query with the result of `echo`, without a library or models."""

    def answer(request: SearchRequest) -> SearchResult:
        with lock or contextlib.nullcontext():
            compile_query(request)
            return echo(folder, request)

    models: Any = FakeModels()
    models.notice = "a notice"
    return serve_queries(folder, lambda: models, answer)


def echo(folder: Path, request: SearchRequest) -> SearchResult:
    """A result that shows which request it answers."""
    return SearchResult(str(request), "starter", folder, (), "calibrated")
