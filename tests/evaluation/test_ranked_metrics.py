"""Judged queries: reading them, and what answers are worth."""

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
from pesearch.evaluation.judgements import JudgedQuery, Relevant, holds_queries, read_queries
from pesearch.evaluation.ranked_metrics import JudgedAnswer, judge, judged, query_figures
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


def test_queries_are_read_with_all_that_they_may_hold(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"query": "a dog", "relevant": ["dog.mp4", {"path": "sub/yard.mp4", "start": 61, "end": 66.5, "grade": 2}]},
        {"query": "mind the gap", "speech": True, "relevant": []},
    )
    assert holds_queries(path)
    dog, gap = read_queries(path)
    assert dog.relevant == (
        Relevant(tmp_path / "dog.mp4", None, None, 1.0),
        Relevant(tmp_path / "sub" / "yard.mp4", 61.0, 66.5, 2.0),
    )
    assert gap == JudgedQuery("mind the gap", True, ())


def test_truths_are_no_queries(sample_media: Path) -> None:
    assert not holds_queries(sample_media / "truths.json")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"relevant": []}, "query 1 has no 'query'"),
        ({"query": "x"}, "query 1 has no 'relevant'"),
        ({"query": " ", "relevant": []}, "asks nothing"),
        ({"query": "x", "relevant": "a.mp4"}, "should be a list"),
        ({"query": "x", "relevant": [], "speech": "yes"}, "true or false"),
        ({"query": "x", "relevant": [{"start": 1, "end": 2}]}, "has no 'path'"),
        ({"query": "x", "relevant": [{"path": "a", "start": 1}]}, "a start or an end only"),
        ({"query": "x", "relevant": [{"path": "a", "start": 3, "end": 2}]}, "lasts from 3 to 2"),
        ({"query": "x", "relevant": [{"path": "a", "grade": 0}]}, "the grade of 'a' is 0"),
        ({"query": "x", "relevant": [{"path": "a", "grade": "good"}]}, "query 1"),
        ({"query": "x", "relevant": [7]}, "query 1"),
        ("x", "query 1"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, query: object, says: str) -> None:
    with pytest.raises(QueryError, match=says) as caught:
        read_queries(written(tmp_path, query))
    assert "\n" not in str(caught.value)


def test_a_file_without_queries(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="has no queries"):
        read_queries(written(tmp_path))


def test_a_moment_is_right_in_the_right_file_at_the_right_time() -> None:
    relevant = [whole(A), Relevant(B, 10.0, 20.0, 3.0)]
    result = judged(moments((B, 0, 10), (C, 0, 5), (B, 19, 25), (A, 3, 9)), True, relevant, FILES)
    assert result.grades == (0.0, 0.0, 3.0, 1.0)
    assert (result.ideal, result.confident, result.score) == ((3.0, 1.0), True, 1.0)
    assert judged([], False, relevant, FILES).score == 0.0


def test_a_second_moment_of_what_was_found_is_passed_over() -> None:
    result = judged(moments((A, 0, 5), (A, 9, 12), (C, 0, 5), (B, 0, 5)), True, [whole(A), whole(B)], FILES)
    assert result.grades == (1.0, 0.0, 1.0)


def test_two_stretches_of_a_file_are_two_things_to_find() -> None:
    stretches = [Relevant(A, 0.0, 5.0, 1.0), Relevant(A, 8.0, 12.0, 1.0)]
    assert judged(moments((A, 1, 2), (A, 9, 10)), True, stretches, FILES).grades == (1.0, 1.0)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=10).filter(any), st.integers(0, 3))
def test_figures_of_one_query_are_those_of_its_ranking(grades: list[int], missed: int) -> None:
    given_grades = tuple(float(grade) for grade in grades)
    ideal = tuple(sorted((grade for grade in given_grades if grade), reverse=True)) + (1.0,) * missed
    figures = query_figures([JudgedAnswer(given_grades, tuple(sorted(ideal, reverse=True)), True, 0.9)])
    scores = np.arange(len(grades) + missed, 0, -1.0)[None]
    if missed and len(grades) < 10:  # in a full ranking what was missed stands far behind
        scores = np.concatenate(
            [scores[:, : len(grades)], np.full((1, 90), -1.0), scores[:, len(grades) :] - 99], axis=1
        )
        worth = np.array([[*given_grades, *[0.0] * 90, *[1.0] * missed]])
    else:
        worth = np.array([[*given_grades, *[1.0] * missed]])
    assert figures.ndcg10 == pytest.approx(ndcg_at(scores[:, : worth.shape[1]], worth, 10)[0])
    if not missed:
        assert figures.map == pytest.approx(average_precisions(scores, worth > 0)[0])


def test_figures_of_answers_and_abstentions() -> None:
    right = JudgedAnswer((1.0,), (1.0,), True, 0.9)
    second = JudgedAnswer((0.0, 1.0), (1.0,), False, 0.4)
    nothing = JudgedAnswer((0.0,), (), False, 0.1)
    fooled = JudgedAnswer((0.0,), (), True, 0.6)
    figures = query_figures([right, second, nothing, fooled])
    assert (figures.queries, figures.answerable) == (4, 2)
    assert (figures.r1, figures.r5, figures.map) == (0.5, 1.0, 0.75)
    assert (figures.answered, figures.abstained) == (0.5, 0.5)
    assert figures.answer_auroc == 0.75
    assert figures.calibration_error == pytest.approx((0.1 + 0.4 + 0.1 + 0.6) / 4)
    assert math.isnan(query_figures([right]).abstained)


@pytest.mark.slow
def test_the_sample_media_answer_their_questions(
    sample_library: Library, starter: ModelSet, sample_media: Path
) -> None:
    queries = [
        JudgedQuery("siren and train", False, (Relevant(sample_media / "siren_train.mp4", 0.6, 5.6, 1.0),)),
        JudgedQuery("rain and thunder", False, (whole(sample_media / "rain_thunder.mp4"),)),
        JudgedQuery("a submarine volcano", False, ()),
    ]
    figures = query_figures(list(judge(queries, sample_library, starter)))
    assert (figures.r1, figures.abstained, figures.answer_auroc) == (1.0, 1.0, 1.0)


@pytest.mark.slow
def test_a_judged_file_that_is_not_in_the_library(sample_library: Library, starter: ModelSet) -> None:
    with pytest.raises(LibraryError, match=r"1 of 1 judged files are not in the library .*, as /media/a.mp4"):
        next(judge([JudgedQuery("x", False, (whole(A),))], sample_library, starter))
