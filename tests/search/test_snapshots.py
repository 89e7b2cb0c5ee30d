"""A search whose snapshot expires starts over on the current one, a limited number of times."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from types import SimpleNamespace

import pytest

from pesearch.encoders.io_types import TextVectors
from pesearch.errors import SnapshotExpired
from pesearch.matching import Matching
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import MAX_SNAPSHOT_ATTEMPTS, search
from pesearch.store.library import Library
from pesearch.types import MEDIA_SPACES, SpaceName
from tests.search.fake_models import FakeModels

MakeLibrary = Callable[..., Library]

REQUEST = SearchRequest("heard:siren", locate=False)


class ExpiringModels(FakeModels):
    """The snapshot expires while the query is encoded, in the first `expirations` attempts."""

    def __init__(self, expirations: int) -> None:
        super().__init__({"siren": [1.0, 0.0]})
        self.attempts, self._expirations = 0, expirations

    def embed_texts(self, texts: Sequence[str], spaces: Collection[SpaceName] = MEDIA_SPACES) -> TextVectors:
        if list(texts) == ["siren"]:
            self.attempts += 1
            if self.attempts <= self._expirations:
                raise SnapshotExpired("swept")
        return super().embed_texts(texts, spaces)


@pytest.fixture
def library(make_library: MakeLibrary) -> Library:
    return make_library({"siren.wav": {SpaceName.AUDIO: [[1.0, 0.0]]}, "other.wav": {SpaceName.AUDIO: [[0.0, 1.0]]}})


def test_a_search_is_retried_on_the_current_snapshot(library: Library) -> None:
    models = ExpiringModels(MAX_SNAPSHOT_ATTEMPTS - 1)
    result = search(library, models, REQUEST)  # type: ignore[arg-type]  # the fake has what a search uses
    assert models.attempts == MAX_SNAPSHOT_ATTEMPTS
    assert result.moments[0].file.path.name == "siren.wav"


def test_a_search_gives_up_after_the_last_attempt_with_one_line(library: Library) -> None:
    models = ExpiringModels(1000)
    with pytest.raises(SnapshotExpired, match="keeps changing: try again") as caught:
        search(library, models, REQUEST)  # type: ignore[arg-type]  # the fake has what a search uses
    assert models.attempts == MAX_SNAPSHOT_ATTEMPTS
    assert str(library.folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("measured_on", [None, "judged clips"])
def test_a_result_says_whether_the_models_were_measured(library: Library, measured_on: str | None) -> None:
    models = ExpiringModels(0)
    models.description = SimpleNamespace(matching=Matching(measured_on=measured_on))
    result = search(library, models, REQUEST)  # type: ignore[arg-type]  # the fake has what a search uses
    assert result.is_measured is (measured_on is not None)
