"""FAISS and Milvus give the same moments for the same queries of the same library."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.search.query.request import SearchRequest
from pesearch.search.retrieve import retriever
from pesearch.search.search import search
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.milvus.client import close
from pesearch.store.index.milvus.collection import MilvusCollection
from pesearch.store.library import Library, open_library

pytestmark = pytest.mark.slow


def test_faiss_and_milvus_give_the_same_moments(
    sample_library: Library, starter: ModelSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few hits per vector are requested, since a search for more vectors than there are does not use the Milvus."""
    pytest.importorskip("milvus_lite")
    monkeypatch.setattr(retriever, "STABLE_MOMENTS", 10)
    monkeypatch.setattr(retriever, "HITS_PER_MOMENT", 1)
    shutil.copytree(sample_library.folder, tmp_path / "library")
    library, milvus = open_library(tmp_path / "library"), MilvusAddress(str(tmp_path / "lite.db"))
    with library.writer() as writer:
        writer.set_vector_backend(milvus)
    called, nearest = list[str](), MilvusCollection.search

    def counting(self: MilvusCollection, *arguments: Any, **more: Any) -> object:
        called.append(self.name)
        return nearest(self, *arguments, **more)

    monkeypatch.setattr(MilvusCollection, "search", counting)
    for text in ("siren and train", "a dog barking", "heard:siren THEN seen:train WITHIN 10s"):
        with_faiss, with_milvus = (
            search(each, starter, SearchRequest(text, locate=False)) for each in (sample_library, library)
        )
        assert with_milvus.moments
        assert with_milvus.moments == with_faiss.moments
    assert called
    close(milvus)
