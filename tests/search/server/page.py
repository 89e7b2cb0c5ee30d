"""A page's process as far as the socket goes: `python -m tests.search.server.page LIBRARY` serves until its input ends.

It stands in another folder than whoever asks.
"""

import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock

from pesearch.encoders.model_set import ModelSet
from pesearch.search.opening import open_for_search
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import SearchResult, search
from pesearch.search.server.server import serve_queries
from pesearch.store.library import Library


def serving(
    library: Library, models: ModelSet, turn: AbstractContextManager[object] | None = None
) -> AbstractContextManager[str | None]:
    """Questions are answered one after the other."""
    one_by_one = turn or Lock()

    def answer(request: SearchRequest) -> SearchResult:
        with one_by_one:
            return search(library, models, request)

    return serve_queries(library.folder, lambda: models, answer)


def main() -> None:
    """Says a line when it serves: nothing, or why not."""
    library, models = open_for_search(Path(sys.argv[1]), "cpu")
    with serving(library, models) as problem:
        print(problem or "", flush=True)
        os.chdir("/")
        sys.stdin.read()


if __name__ == "__main__":
    main()
