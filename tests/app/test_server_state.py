"""The library and models that all pages of a server share."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from pesearch.app import server_state
from pesearch.errors import LibraryNotFound
from pesearch.search.query.request import SearchRequest
from pesearch.search.refine import sound_rescorer as listen
from pesearch.store.library import Library
from pesearch.types import FloatArray


@pytest.mark.slow
def test_all_pages_share_one_library_and_its_models(page_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PESEARCH_LIBRARY", str(page_library.folder))
    server_state.preload_models()
    with ThreadPoolExecutor(8) as pages:
        opened = list(pages.map(lambda _: (server_state.library(), server_state.models()), range(16)))
        answers = list(pages.map(server_state.run_search, [SearchRequest("siren and train", k=3)] * 6))
    assert len({(id(library), id(models)) for library, models in opened}) == 1
    assert {answer.matches[0].file.path.name for answer in answers} == {"siren_train.mp4"}
    assert len({tuple(moment.score for moment in answer.moments) for answer in answers}) == 1


def test_a_search_does_not_wait_for_the_sounds_of_another(
    page_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PESEARCH_LIBRARY", str(page_library.folder))
    heard, begun, go_on, cancelled, real = list[float](), Event(), Event(), Event(), listen.detect

    def hear(path: Path, start: float, *rest: Any) -> FloatArray:
        heard.append(start)
        begun.set()
        assert go_on.wait(60)
        return real(path, start, *rest)

    monkeypatch.setattr(listen, "detect", hear)
    request = SearchRequest("siren OR rain OR dog")
    exact = server_state.locate_sounds(request, (), cancelled)
    assert begun.wait(60)
    first = server_state.run_search(replace(request, locate=False))
    assert not exact.done()
    cancelled.set()
    go_on.set()
    rest = exact.result(60)
    assert len(heard) == 1
    assert len(rest.matches) == len(first.matches)


def test_a_library_created_later_is_found(
    page_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "library"
    monkeypatch.setenv("PESEARCH_LIBRARY", str(folder))
    with pytest.raises(LibraryNotFound):
        server_state.library()
    folder.symlink_to(page_library.folder)
    assert server_state.library().status().files == page_library.status().files


def test_the_page_verifies_shards_and_those_of_later_commits(
    page_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The codec's name in a shard of features is read by no search."""
    shutil.copytree(page_library.folder, tmp_path / "library")
    monkeypatch.setattr(server_state, "VERIFY_INTERVAL_SECONDS", 0.05)
    library = server_state._library(tmp_path / "library")
    shards = list((tmp_path / "library" / "features").iterdir())
    content = shards[0].read_bytes()
    shards[0].write_bytes(content.replace(b"codec", b"codeC"))
    deadline = time.monotonic() + 60.0
    while not library.damage() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert {str(named) for named in library.damage()} == {"its sound features may differ from what was written"}
    server_state.VERIFY_INTERVAL_SECONDS = 3600.0  # until the fixture puts it back: the thread goes to sleep
