"""The compressed index by itself: how many lists it probes, and the exact scores of its hits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from pesearch.store.index import ivf_rabitq
from pesearch.store.index.ivf_rabitq import IvfRabitqIndex, build, nprobe_share
from pesearch.store.index.mapped_rows import MappedRows
from tests.store.index.made_rows import DIM, exact, rows_of_files

NEAR_ROWS, FAR_ROWS = 3900, 100
NLIST = 2 * 63  # the square root of 4000 rows is 63.2


@pytest.fixture(scope="module")
def rows() -> MappedRows:
    """Two cones in opposite directions: file 1 around the first axis, the few rows of file 2 around its opposite."""
    random = np.random.default_rng(2)
    axis = np.eye(DIM)[0]
    near = axis + 0.3 * random.standard_normal((NEAR_ROWS, DIM))
    far = -axis + 0.3 * random.standard_normal((FAR_ROWS, DIM))
    return rows_of_files([near, far])


@pytest.fixture(scope="module")
def index(rows: MappedRows) -> IvfRabitqIndex:
    building = build(rows)
    while True:
        try:
            next(building)
        except StopIteration as finished:
            built: IvfRabitqIndex = finished.value
            return built


@pytest.fixture
def query() -> np.ndarray:
    """One query in the cone of file 1."""
    return np.eye(DIM, dtype=np.float32)[:1] + np.float32(0.05)


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Filled with the nprobe of each search of the lists; selections of any size use the index."""
    monkeypatch.setattr(ivf_rabitq, "MAX_EXACT_ROWS", 0)
    nprobes: list[int] = []
    search = IvfRabitqIndex._search_lists

    def recorded(self: IvfRabitqIndex, queries: np.ndarray, length: int, selector: object, nprobe: int) -> np.ndarray:
        nprobes.append(nprobe)
        return search(self, queries, length, selector, nprobe)

    monkeypatch.setattr(IvfRabitqIndex, "_search_lists", recorded)
    yield nprobes


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


def test_rows_far_from_the_query_are_found_by_probing_all_lists(
    rows: MappedRows, index: IvfRabitqIndex, query: np.ndarray, probes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of the lists that are nearest to the query has a selected row: all lists are probed then."""
    monkeypatch.setattr(ivf_rabitq, "MIN_SHORTLIST", 25)
    found = index.search(rows, query, 5, np.array([False, True]))
    expected_rows, expected_scores = exact(rows, query, NEAR_ROWS, NEAR_ROWS + FAR_ROWS, 5)
    assert found.rows[0].tolist() == expected_rows
    assert found.scores[0].tolist() == pytest.approx(expected_scores, abs=1e-5)
    # 100 of 4000 rows: 1/12 / sqrt(1/40) = 0.527 of the lists, then all
    assert probes == [67, NLIST]


def test_a_twelfth_of_the_lists_is_probed_without_a_filter(
    rows: MappedRows, index: IvfRabitqIndex, query: np.ndarray, probes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ivf_rabitq, "MIN_SHORTLIST", 100)
    found = index.search(rows, query, 5, np.array([True, True]))
    assert found.rows[0, 0] == exact(rows, query, 0, NEAR_ROWS + FAR_ROWS, 1)[0][0]
    assert probes == [11]  # 126 / 12, rounded up


@pytest.mark.usefixtures("probes")
def test_shortlist_longer_than_k_makes_the_ranking_exact(
    rows: MappedRows, index: IvfRabitqIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all lists, so that only the 2-bit codes could lose a row: they rank the top 20 differently."""
    monkeypatch.setattr(ivf_rabitq, "NPROBE_SHARE", 1.0)
    queries = np.random.default_rng(4).standard_normal((10, DIM)).astype(np.float32)
    found = index.search(rows, queries, 20, np.array([True, True]))
    for query, row_ids, scores in zip(queries, found.rows, found.scores, strict=True):
        expected_rows, expected_scores = exact(rows, query[None], 0, NEAR_ROWS + FAR_ROWS, 20)
        assert row_ids.tolist() == expected_rows
        assert scores.tolist() == pytest.approx(expected_scores, abs=1e-5)


def test_small_selection_is_searched_exactly(
    rows: MappedRows, index: IvfRabitqIndex, query: np.ndarray, probes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ivf_rabitq, "MAX_EXACT_ROWS", FAR_ROWS)
    found = index.search(rows, query, 100, np.array([False, True]))
    assert found.rows[0].tolist() == exact(rows, query, NEAR_ROWS, NEAR_ROWS + FAR_ROWS, 100)[0]
    assert probes == []
