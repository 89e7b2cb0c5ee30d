"""The same questions to the same library give the same ten moments, whether FAISS or a Milvus searches its vectors."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.search.query.request import SearchRequest
from pesearch.search.retrieve import retriever as retrieve
from pesearch.search.search import search
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.milvus.client import close
from pesearch.store.index.milvus.collection import MilvusCollection
from pesearch.store.library import Library, open_library

pytestmark = pytest.mark.slow


def test_same_ten_moments(
    sample_library: Library, starter: ModelSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So small a library has no more frames than are asked for: here few are asked for, so that the Milvus is, too."""
    pytest.importorskip("milvus_lite")
    monkeypatch.setattr(retrieve, "MIN_HITS_PER_VECTOR", 10)
    monkeypatch.setattr(retrieve, "HITS_PER_MOMENT", 1)
    shutil.copytree(sample_library.folder, tmp_path / "library")
    library, milvus = open_library(tmp_path / "library"), MilvusAddress(str(tmp_path / "lite.db"))
    with library.writer() as writer:
        writer.search_vectors_at(milvus)
    asked, search_collection = [], MilvusCollection.search

    def counting(self: MilvusCollection, *arguments: Any, **more: Any) -> object:
        asked.append(self.name)
        return search_collection(self, *arguments, **more)

    monkeypatch.setattr(MilvusCollection, "search", counting)
    for text in ("siren and train", "a dog barking", "heard:siren THEN seen:train WITHIN 10s"):
        here, there = (search(one, starter, SearchRequest(text, locate=False)) for one in (sample_library, library))
        assert there.moments
        assert there.moments == here.moments
    assert asked
    close(milvus)
