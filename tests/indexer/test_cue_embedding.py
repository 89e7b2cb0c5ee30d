"""Cues are embedded part by part, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from pesearch.encoders.io_types import TextVectors, normalize
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer import cue_embedding
from pesearch.indexer.cue_embedding import embed_cues
from pesearch.indexer.progress_events import CuesEmbedded
from pesearch.indexer.timings import StageTimings
from pesearch.store.library import Library, create_library
from pesearch.store.write import cue_vectors
from pesearch.types import SpaceName
from tests.store.catalogue.test_cues import cue, inside, with_cues
from tests.store.contents import AUDIO, SPACES, vectors

TEXTS = [f"said {number % 7}" for number in range(10)]


class Models:
    """Stands in for a model set: a vector of each text."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def embed_texts(self, texts: Sequence[str], _spaces: Collection[SpaceName]) -> TextVectors:
        self.asked.append(sorted(texts))
        rows = np.concatenate([vectors(text, AUDIO, 1).vectors for text in texts])
        return TextVectors(None, None, rows, None)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A source of ten cues, and one of a single cue."""
    library = create_library(tmp_path / "library", "made-up", SPACES)
    with library.writer() as writer:
        writer.add([with_cues("/a", "one", inside(*(cue(text, float(at)) for at, text in enumerate(TEXTS))))])
        writer.add([with_cues("/b", "two", inside(cue("other")))])
    return library


def embed(library: Library, models: Models) -> list[CuesEmbedded]:
    with library.writer() as writer:
        return list(embed_cues(library, cast(ModelSet, models), writer, StageTimings()))


def found(library: Library, text: str) -> set[tuple[int, float]]:
    """The cues whose vector is that of a text, by file and time."""
    query = normalize(vectors(text, AUDIO, 1).vectors)
    (hits,) = library.find_similar_cues(query, np.full(1, 0.999, np.float32), 20)
    return {(hit.file_id, hit.cue.start_seconds) for hit in hits}


def test_a_source_is_embedded_in_parts(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cue_embedding, "CUES_PER_COMMIT", 4)
    monkeypatch.setattr(cue_embedding, "CUES_AT_ONCE", 4)
    monkeypatch.setattr(cue_vectors, "BATCH_ROWS", 3)
    models = Models()
    progress = embed(library, models)
    assert models.asked == [TEXTS[:4], sorted(set(TEXTS[4:8])), sorted(set(TEXTS[8:])), ["other"]]
    assert (progress[-1].done, progress[-1].total) == (11, 11)
    assert [each.committed for each in progress if each.committed] == [10, 1]
    for text in set(TEXTS):
        assert found(library, text) == {(1, float(at)) for at, each in enumerate(TEXTS) if each == text}
    assert found(library, "other") == {(2, 1.0)}
    assert not len(library.cues_to_embed().ids)


def test_a_source_that_was_stopped_between_parts_is_embedded_by_the_next_run(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cue_embedding, "CUES_AT_ONCE", 4)
    models = Models()

    def fail(texts: Sequence[str], spaces: Collection[SpaceName]) -> TextVectors:
        if models.asked:
            raise KeyboardInterrupt
        return models.embed_texts(texts, spaces)

    with pytest.raises(KeyboardInterrupt):
        embed(library, cast(Models, SimpleNamespace(embed_texts=fail)))
    assert len(models.asked) == 1 and not list((library.folder / "vectors" / "cue").iterdir())
    embed(library, Models())
    assert found(library, "said 3") == {(1, 3.0)}
