"""Judged queries: reading, grading, metrics."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import LibraryError, QueryError
from pesearch.evaluation.judgements import JudgedQuery, Relevant, has_queries, read_queries
from pesearch.evaluation.ranked_metrics import GradedRanking, grade_moments, grade_queries, query_metrics
from pesearch.evaluation.ranking import average_precisions, ndcg_at
from pesearch.locations import Location
from pesearch.store.library import Library
from pesearch.types import MediaFile, MediaInfo, MediaKind, Moment

FILES = {Path(f"/media/{name}.mp4"): number for number, name in enumerate("abc", start=1)}
A, B, C = FILES


def written(folder: Path, *queries: object) -> Path:
    path = folder / "queries.json"
    path.write_text(json.dumps({"queries": queries}), encoding="utf-8")
    return path


def moments(*found: tuple[Path, float, float]) -> list[Moment]:
    info = MediaInfo(MediaKind.VIDEO, 60.0, None, None)
    return [
        Moment(
            rank=rank,
            file=MediaFile(FILES[path], str(path), info, (Location(path, 1, 1),)),
            start_seconds=start,
            end_seconds=end,
            score=1 / rank,
            evidence=(),
            events=(),
        )
        for rank, (path, start, end) in enumerate(found, start=1)
    ]


def whole(path: Path, grade: float = 1.0) -> Relevant:
    return Relevant(path, None, None, grade)


def test_all_fields_of_judged_queries(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"query": "a dog", "relevant": ["dog.mp4", {"path": "sub/yard.mp4", "start": 61, "end": 66.5, "grade": 2}]},
        {"query": "mind the gap", "speech": True, "relevant": []},
    )
    assert has_queries(path)
    dog, gap = read_queries(path)
    assert dog.relevant == (
        Relevant(tmp_path / "dog.mp4", None, None, 1.0),
        Relevant(tmp_path / "sub" / "yard.mp4", 61.0, 66.5, 2.0),
    )
    assert gap == JudgedQuery("mind the gap", True, ())


def test_truths_and_judged_queries_are_distinguished(sample_media: Path) -> None:
    assert not has_queries(sample_media / "truths.json")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"relevant": []}, "query 1 has no 'query'"),
        ({"query": "x"}, "query 1 has no 'relevant'"),
        ({"query": " ", "relevant": []}, "the query is empty"),
        ({"query": "x", "relevant": "a.mp4"}, "must be a list"),
        ({"query": "x", "relevant": [], "speech": "yes"}, "true or false"),
        ({"query": "x", "relevant": [{"start": 1, "end": 2}]}, "has no 'path'"),
        ({"query": "x", "relevant": [{"path": "a", "start": 1}]}, "needs both a start and an end"),
        ({"query": "x", "relevant": [{"path": "a", "start": 3, "end": 2}]}, "no valid times: 3 to 2"),
        ({"query": "x", "relevant": [{"path": "a", "grade": 0}]}, "the grade of 'a' is 0"),
        ({"query": "x", "relevant": [{"path": "a", "grade": "good"}]}, "query 1"),
        ({"query": "x", "relevant": [7]}, "query 1"),
        ("x", "query 1"),
    ],
)
def test_invalid_queries_are_reported_in_one_line(tmp_path: Path, query: object, message: str) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        read_queries(written(tmp_path, query))
    assert "\n" not in str(caught.value)


def test_a_file_without_queries_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="has no queries"):
        read_queries(written(tmp_path))


def test_moments_are_graded_by_file_and_overlap() -> None:
    relevant = [whole(A), Relevant(B, 10.0, 20.0, 3.0)]
    result = grade_moments(moments((B, 0, 10), (C, 0, 5), (B, 19, 25), (A, 3, 9)), True, relevant, FILES)
    assert result.grades == (0.0, 0.0, 3.0, 1.0)
    assert (result.ideal, result.confident, result.score) == ((3.0, 1.0), True, 1.0)
    assert grade_moments([], False, relevant, FILES).score == 0.0


def test_further_moments_of_a_counted_entry_are_skipped() -> None:
    result = grade_moments(moments((A, 0, 5), (A, 9, 12), (C, 0, 5), (B, 0, 5)), True, [whole(A), whole(B)], FILES)
    assert result.grades == (1.0, 0.0, 1.0)


def test_two_intervals_of_a_file_count_separately() -> None:
    intervals = [Relevant(A, 0.0, 5.0, 1.0), Relevant(A, 8.0, 12.0, 1.0)]
    assert grade_moments(moments((A, 1, 2), (A, 9, 10)), True, intervals, FILES).grades == (1.0, 1.0)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=10).filter(any), st.integers(0, 3))
def test_metrics_of_one_query_equal_the_ranking_metrics(grades: list[int], missed: int) -> None:
    given_grades = tuple(float(grade) for grade in grades)
    ideal = tuple(sorted((grade for grade in given_grades if grade), reverse=True)) + (1.0,) * missed
    metrics = query_metrics([GradedRanking(given_grades, tuple(sorted(ideal, reverse=True)), True, 0.9)])
    scores = np.arange(len(grades) + missed, 0, -1.0)[None]
    if missed and len(grades) < 10:  # entries that were not found rank far below
        scores = np.concatenate(
            [scores[:, : len(grades)], np.full((1, 90), -1.0), scores[:, len(grades) :] - 99], axis=1
        )
        worth = np.array([[*given_grades, *[0.0] * 90, *[1.0] * missed]])
    else:
        worth = np.array([[*given_grades, *[1.0] * missed]])
    assert metrics.ndcg10 == pytest.approx(ndcg_at(scores[:, : worth.shape[1]], worth, 10)[0])
    if not missed:
        assert metrics.map == pytest.approx(average_precisions(scores, worth > 0)[0])


def test_metrics_of_answered_and_unanswerable_queries() -> None:
    right = GradedRanking((1.0,), (1.0,), True, 0.9)
    second = GradedRanking((0.0, 1.0), (1.0,), False, 0.4)
    nothing = GradedRanking((0.0,), (), False, 0.1)
    fooled = GradedRanking((0.0,), (), True, 0.6)
    metrics = query_metrics([right, second, nothing, fooled])
    assert (metrics.queries, metrics.answerable) == (4, 2)
    assert (metrics.r1, metrics.r5, metrics.map) == (0.5, 1.0, 0.75)
    assert (metrics.answered, metrics.abstained) == (0.5, 0.5)
    assert metrics.answer_auroc == 0.75
    assert metrics.calibration_error == pytest.approx((0.1 + 0.4 + 0.1 + 0.6) / 4)
    assert math.isnan(query_metrics([right]).abstained)


@pytest.mark.slow
def test_sample_media_queries(sample_library: Library, starter: ModelSet, sample_media: Path) -> None:
    queries = [
        JudgedQuery("siren and train", False, (Relevant(sample_media / "siren_train.mp4", 0.6, 5.6, 1.0),)),
        JudgedQuery("rain and thunder", False, (whole(sample_media / "rain_thunder.mp4"),)),
        JudgedQuery("a submarine volcano", False, ()),
    ]
    metrics = query_metrics(list(grade_queries(queries, sample_library, starter)))
    assert (metrics.r1, metrics.abstained, metrics.answer_auroc) == (1.0, 1.0, 1.0)


@pytest.mark.slow
def test_judged_files_outside_the_library_are_an_error(sample_library: Library, starter: ModelSet) -> None:
    with pytest.raises(LibraryError, match=r"1 of 1 judged files are not in the library .*, such as /media/a.mp4"):
        next(grade_queries([JudgedQuery("x", False, (whole(A),))], sample_library, starter))
