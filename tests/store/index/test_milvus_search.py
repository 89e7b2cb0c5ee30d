"""Search on Milvus with a fake collection: shares of lists, the second search, missing rows."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from pesearch.errors import VectorServerError
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.mapped_rows import MappedRows
from pesearch.store.index.milvus.collection import IndexKind, MilvusCollection
from pesearch.store.index.milvus.filters import primary_keys
from pesearch.store.index.milvus.manifest import Manifest
from pesearch.store.index.milvus.search import MilvusIndex, nprobe_share
from tests.store.index.made_rows import DIM, exact, rows_of_files

FILE_ROWS = 400


@dataclass(frozen=True, slots=True)
class FakeCollection(MilvusCollection):
    """Finds the best rows, or none when it probes less than `min_share` of the lists."""

    rows: MappedRows
    min_share: float
    searches: list[tuple[str, float | None, bool]] = field(default_factory=list)

    def search(
        self, queries: np.ndarray, limit: int, expression: str, nprobe_share: float | None, *, strong: bool
    ) -> np.ndarray:
        self.searches.append((expression, nprobe_share, strong))
        keys = np.full((len(queries), limit), -1, dtype=np.int64)
        if nprobe_share is None or nprobe_share >= self.min_share:
            first = 0 if not expression else FILE_ROWS
            for row, query in zip(keys, queries, strict=True):
                best = np.array(exact(self.rows, query[None], first, 2 * FILE_ROWS, limit)[0])
                row[:] = primary_keys(best // FILE_ROWS + 1, best % FILE_ROWS)
        return keys


def milvus_index(kind: IndexKind, min_share: float, age_seconds: float = 0.0) -> MilvusIndex:
    """An index over two files of random vectors, whose manifest has that age."""
    rows = rows_of_files(np.split(np.random.default_rng(1).standard_normal((2 * FILE_ROWS, DIM)), 2))
    collection = FakeCollection(MilvusAddress("http://nowhere"), "fake", DIM, rows, min_share)
    manifest = Manifest(kind, rows.layout, np.empty(0, np.int64))
    return MilvusIndex(collection, manifest, time.time() - age_seconds)


def searches(index: MilvusIndex) -> list[tuple[str, float | None, bool]]:
    assert isinstance(index.collection, FakeCollection)
    return index.collection.searches


def rows_of(index: MilvusIndex) -> MappedRows:
    assert isinstance(index.collection, FakeCollection)
    return index.collection.rows


QUERY = np.ones((1, DIM), np.float32)


@pytest.mark.parametrize(("selected", "first", "share"), [([True, True], 0, 0.25), ([False, True], FILE_ROWS, 0.5)])
def test_all_lists_are_probed_when_the_first_search_finds_too_few(
    selected: list[bool], first: int, share: float
) -> None:
    """A shortlist of 100 rows takes lists with 200: a quarter of 800 rows, half of 400."""
    index = milvus_index(IndexKind.IVF, min_share=1.0)
    found = index.search(rows_of(index), QUERY, 10, np.array(selected))
    expected_rows, expected_scores = exact(rows_of(index), QUERY, first, 2 * FILE_ROWS, 10)
    assert found.rows[0].tolist() == expected_rows
    assert found.scores[0].tolist() == pytest.approx(expected_scores, abs=1e-5)
    expression = "" if first == 0 else "file_id in [2]"
    assert searches(index) == [(expression, share, True), (expression, 1.0, True)]


def test_one_search_is_enough_when_it_finds_k_rows() -> None:
    index = milvus_index(IndexKind.IVF, min_share=0.1)
    index.search(rows_of(index), QUERY, 10, np.array([True, True]))
    assert searches(index) == [("", 0.25, True)]


def test_missing_rows_are_reported() -> None:
    index = milvus_index(IndexKind.IVF, min_share=2.0)
    with pytest.raises(VectorServerError, match=r"fake on milvus:http://nowhere lacks rows.*`pesearch gc`"):
        index.search(rows_of(index), QUERY, 10, np.array([True, True]))


@pytest.mark.parametrize(("age_seconds", "strong"), [(0.0, True), (50.0, True), (70.0, False)])
def test_only_recent_writes_need_strong_consistency(age_seconds: float, strong: bool) -> None:
    index = milvus_index(IndexKind.FLAT, min_share=0.0, age_seconds=age_seconds)
    index.search(rows_of(index), QUERY, 10, np.array([True, True]))
    assert searches(index) == [("", None, strong)]


@pytest.mark.parametrize(
    ("length", "selected_rows", "rows", "share"),
    [
        (500, 1_000_000, 1_000_000, 1 / 12),
        (500, 250_000, 1_000_000, 2 / 12),
        (500, 10_000, 1_000_000, 10 / 12),
        (500, 4000, 4000, 0.25),  # the lists probed hold twice the shortlist
        (5000, 20_000, 20_000, 0.5),
        (500, 600, 1_000_000, 1.0),
    ],
)
def test_fewer_selected_rows_probe_more_lists(length: int, selected_rows: int, rows: int, share: float) -> None:
    assert nprobe_share(length, selected_rows, rows) == pytest.approx(share)
