"""One library and one model set for all pages of a server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from pesearch.app import server_state as shared
from pesearch.errors import LibraryNotFound
from pesearch.search.query.request import SearchRequest
from pesearch.search.refine import sound_rescorer as listen
from pesearch.store.library import Library
from pesearch.types import FloatArray


@pytest.mark.slow
def test_all_pages_share_one_library_and_its_models(sample_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PESEARCH_LIBRARY", str(sample_library.folder))
    shared.warm()
    with ThreadPoolExecutor(8) as pages:
        opened = list(pages.map(lambda _: (shared.library(), shared.models()), range(16)))
        answers = list(pages.map(shared.answer, [SearchRequest("siren and train", k=3)] * 6))
    assert len({(id(library), id(models)) for library, models in opened}) == 1
    assert {answer.matches[0].file.path.name for answer in answers} == {"siren_train.mp4"}
    assert len({tuple(moment.score for moment in answer.moments) for answer in answers}) == 1


def test_who_asks_does_not_wait_for_the_sounds_of_others(
    sample_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PESEARCH_LIBRARY", str(sample_library.folder))
    heard, begun, goes_on, unwanted, real = list[float](), Event(), Event(), Event(), listen.detect

    def hear(path: Path, start: float, *rest: Any) -> FloatArray:
        heard.append(start)
        begun.set()
        assert goes_on.wait(60)
        return real(path, start, *rest)

    monkeypatch.setattr(listen, "detect", hear)
    request = SearchRequest("siren OR rain OR dog")
    exact = shared.located(request, (), unwanted)
    assert begun.wait(60)
    first = shared.answer(replace(request, locate=False))
    assert not exact.done()
    unwanted.set()
    goes_on.set()
    rest = exact.result(60)
    assert len(heard) == 1
    assert len(rest.matches) == len(first.matches)


def test_a_library_that_comes_later_is_found(
    sample_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "library"
    monkeypatch.setenv("PESEARCH_LIBRARY", str(place))
    with pytest.raises(LibraryNotFound):
        shared.library()
    place.symlink_to(sample_library.folder)
    assert shared.library().status().files == sample_library.status().files
