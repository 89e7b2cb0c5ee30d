"""The compressed index by itself: which rows it lists, and the exact scores of its hits."""

from __future__ import annotations

import faiss
import numpy as np
import pytest

from pesearch.store.index import compressed_index
from pesearch.store.index.compressed_index import CompressedIndex, build
from pesearch.store.index.mapped_rows import MappedRows
from tests.store.index.made_rows import DIM, exact, rows_of_files

NEAR_ROWS, FAR_ROWS = 3900, 100
ROWS = NEAR_ROWS + FAR_ROWS


@pytest.fixture(scope="module")
def rows() -> MappedRows:
    """Two cones in opposite directions: file 1 around the first axis, the few rows of file 2 around its opposite."""
    random = np.random.default_rng(2)
    axis = np.eye(DIM)[0]
    near = axis + 0.3 * random.standard_normal((NEAR_ROWS, DIM))
    far = -axis + 0.3 * random.standard_normal((FAR_ROWS, DIM))
    return rows_of_files([near, far])


def built(rows: MappedRows) -> CompressedIndex:
    building = build(rows)
    while True:
        try:
            next(building)
        except StopIteration as finished:
            index: CompressedIndex = finished.value
            return index


@pytest.fixture(scope="module")
def index(rows: MappedRows) -> CompressedIndex:
    return built(rows)


@pytest.fixture
def query() -> np.ndarray:
    """One query in the cone of file 1."""
    return np.eye(DIM, dtype=np.float32)[:1] + np.float32(0.05)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Selections of any size use the index."""
    monkeypatch.setattr(compressed_index, "MAX_EXACT_ROWS", 0)


@pytest.mark.usefixtures("always")
def test_rows_far_from_the_query_are_found(
    rows: MappedRows, index: CompressedIndex, query: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are in the lists that are farthest from it."""
    monkeypatch.setattr(compressed_index, "MIN_SHORTLIST", 50)
    found = index.search(rows, query, 5, np.array([False, True]))
    expected_rows, expected_scores = exact(rows, query, NEAR_ROWS, ROWS, 5)
    assert found.rows[0].tolist() == expected_rows
    assert found.scores[0].tolist() == pytest.approx(expected_scores, abs=1e-5)


@pytest.mark.usefixtures("always")
def test_a_match_in_noise_is_found_whatever_list_it_is_in() -> None:
    """4 spreads above chance, as with published models: inverted lists that are probed in part lose such matches."""
    random = np.random.default_rng(5)
    vectors = random.standard_normal((20_000, 64)).astype(np.float32)
    queries = random.standard_normal((40, 64)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    matches = np.arange(40) * 500
    vectors[matches] += (4.0 - (vectors[matches] * queries).sum(axis=1))[:, None] * queries
    rows = rows_of_files([vectors])
    found = built(rows).search(rows, queries, 10, np.array([True]))
    shared = [
        len({*row_ids.tolist()} & {*exact(rows, query[None], 0, len(vectors), 10)[0]})
        for row_ids, query in zip(found.rows, queries, strict=True)
    ]
    assert np.mean(shared) >= 9.7
    assert (found.rows == matches[:, None]).any(axis=1).all()


@pytest.mark.usefixtures("always")
def test_shortlist_longer_than_k_makes_the_ranking_exact(rows: MappedRows, index: CompressedIndex) -> None:
    """The codes alone rank the top 20 differently."""
    queries = np.random.default_rng(4).standard_normal((10, DIM)).astype(np.float32)
    found = index.search(rows, queries, 20, np.array([True, True]))
    for query, row_ids, scores in zip(queries, found.rows, found.scores, strict=True):
        expected_rows, expected_scores = exact(rows, query[None], 0, ROWS, 20)
        assert row_ids.tolist() == expected_rows
        assert scores.tolist() == pytest.approx(expected_scores, abs=1e-5)


@pytest.fixture
def three_threads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Searches of any size are shared by three threads. The lists that each thread searched are appended."""
    monkeypatch.setattr(compressed_index, "MIN_SHARE_ROWS", 1)
    monkeypatch.setattr(faiss, "omp_get_max_threads", lambda: 3)
    searched: list[tuple[int, ...]] = []
    share_lists = CompressedIndex._share_lists

    def record(index: CompressedIndex, threads: int) -> list[np.ndarray]:
        shares = share_lists(index, threads)
        searched.extend(tuple(np.flatnonzero(lists).tolist()) for lists in shares)
        return shares

    monkeypatch.setattr(CompressedIndex, "_share_lists", record)
    return searched


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("files", [[True, True], [False, True]], ids=["all", "a few"])
def test_threads_that_share_a_search_find_what_one_finds(
    rows: MappedRows, index: CompressedIndex, files: list[bool], request: pytest.FixtureRequest
) -> None:
    queries, selected = np.random.default_rng(6).standard_normal((3, DIM)).astype(np.float32), np.array(files)
    alone = index.search(rows, queries, 20, selected)
    searched = request.getfixturevalue("three_threads")
    together = index.search(rows, queries, 20, selected)
    assert together.rows.tolist() == alone.rows.tolist()
    assert together.scores.tolist() == alone.scores.tolist()
    assert len(searched) == 3
    assert sorted(number for lists in searched for number in lists) == list(range(compressed_index.LISTS))


@pytest.mark.usefixtures("three_threads")
def test_threads_search_about_as_many_rows_each(index: CompressedIndex) -> None:
    sizes = np.array([index.index.invlists.list_size(number) for number in range(compressed_index.LISTS)])
    scanned = [int(sizes[lists].sum()) for lists in index._share_lists(3)]
    assert sum(scanned) == ROWS
    assert max(scanned) - min(scanned) <= sizes.max()


@pytest.mark.usefixtures("always")
def test_threads_of_openmp_do_not_spin_after_a_search(
    rows: MappedRows, index: CompressedIndex, query: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each parallel region of FAISS would leave them waiting for the next one; the setting of the caller stays."""
    used, search = [], faiss.IndexScalarQuantizer.search

    def record(*arguments: object, **keywords: object) -> object:
        used.append(faiss.omp_get_max_threads())
        return search(*arguments, **keywords)

    monkeypatch.setattr(faiss.IndexScalarQuantizer, "search", record)
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(2)
    try:
        index.search(rows, query, 5, np.array([True, True]))
        assert faiss.omp_get_max_threads() == 2
    finally:
        faiss.omp_set_num_threads(before)
    assert used == [1]


def test_a_small_index_is_not_shared(index: CompressedIndex) -> None:
    (lists,) = index._share_lists(3)
    assert lists.all()


def test_small_selection_is_searched_exactly(
    rows: MappedRows, index: CompressedIndex, query: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compressed_index, "MAX_EXACT_ROWS", FAR_ROWS)
    monkeypatch.setattr(CompressedIndex, "_shortlist", None)
    found = index.search(rows, query, 100, np.array([False, True]))
    assert found.rows[0].tolist() == exact(rows, query, NEAR_ROWS, ROWS, 100)[0]


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(("count", "dim"), [(1, 8), (15, 8), (17, 3), (40, 2)])
def test_few_rows_of_any_dimension(count: int, dim: int) -> None:
    vectors = np.random.default_rng(count).standard_normal((count, dim))
    rows = rows_of_files([vectors])
    found = built(rows).search(rows, np.ones((1, dim), np.float32), count, np.array([True]))
    assert found.rows[0].tolist() == exact(rows, np.ones((1, dim), np.float32), 0, count, count)[0]
