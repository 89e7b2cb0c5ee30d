"""Which moments of judged queries count, as answers and as mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pesearch.errors import LibraryError
from pesearch.evaluation.datasets import DatasetClip, IndexedClip
from pesearch.evaluation.ground_truth import ClipTruth, Truth
from pesearch.evaluation.judged_scores import JudgedScore, Judgements, judged_scores, of_clips, of_dataset
from pesearch.evaluation.judgements import JudgedQuery, Relevant
from pesearch.locations import Location
from pesearch.types import MediaFile, MediaInfo, MediaKind, Moment

INFO = MediaInfo(MediaKind.VIDEO, 60.0, None, None)
FILES = {
    name: MediaFile(number, name, INFO, (Location(Path(f"/media/{name}.mp4"), 1, 1),))
    for number, name in enumerate("abc", start=1)
}
A, B, C = FILES.values()

Found = Sequence[tuple[MediaFile, float, float]]
"""Moments, best first: file, start in seconds, score. Each lasts 2 s."""


class Searched:
    """As a library, with the answer to each query."""

    folder = Path("/library")

    def __init__(self, answers: Mapping[str, Found]) -> None:
        self.answers = answers

    def files(self) -> list[MediaFile]:
        return [A, B, C]


@pytest.fixture(autouse=True)
def search(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(library: Searched, models: object, request: Any, normalizers: object) -> SimpleNamespace:
        assert (request.k, request.per_file) == (50, 1)
        found = enumerate(library.answers[request.text], start=1)
        moments = [Moment(rank, file, at, at + 2, score, (), ()) for rank, (file, at, score) in found]
        return SimpleNamespace(moments=moments)

    monkeypatch.setattr("pesearch.evaluation.judged_scores.search", answer)


def relevant(file: MediaFile, start: float | None = None, end: float | None = None) -> Relevant:
    return Relevant(file.path, start, end, 1.0)


def scores(judgements: Judgements, answers: Mapping[str, Found]) -> list[JudgedScore]:
    library: Any = Searched(answers)
    models: Any = None
    return [score for found in judged_scores(judgements, library, models) for score in found]


def test_the_best_moment_and_the_best_mistake_count() -> None:
    query = JudgedQuery("a bell", False, (relevant(A), relevant(B)))
    found = [(A, 0.0, 0.9), (B, 0.0, 0.8), (C, 0.0, 0.4)]
    complete = Judgements((query,), is_complete=True)
    assert scores(complete, {"a bell": found}) == [JudgedScore(0, False, 0.9, True), JudgedScore(0, False, 0.4, False)]
    assert scores(Judgements((query,)), {"a bell": found}) == [JudgedScore(0, False, 0.9, True)]
    assert scores(complete, {"a bell": found[::-1]}) == [JudgedScore(0, False, 0.4, False)]
    assert scores(complete, {"a bell": []}) == []


def test_a_moment_elsewhere_in_a_relevant_file_does_not_answer() -> None:
    query = JudgedQuery("a bell", False, (relevant(A, 10.0, 12.0),))
    for at, is_answer in ((11.0, True), (3.0, False)):
        assert scores(Judgements((query,)), {"a bell": [(A, at, 0.7)]}) == [JudgedScore(0, False, 0.7, is_answer)]


def test_files_that_nobody_judged_do_not_count() -> None:
    query = JudgedQuery("a bell", False, (relevant(A),))
    judgements = Judgements((query,), frozenset({A.id, B.id}), is_complete=True)
    found = [(C, 0.0, 0.9), (A, 0.0, 0.8), (B, 0.0, 0.3)]
    assert [each.score for each in scores(judgements, {"a bell": found})] == [0.8, 0.3]


def test_a_copy_of_a_query_does_not_count() -> None:
    query = JudgedQuery("a bell", False, (relevant(A),))
    assert len(scores(Judgements((query, query)), {"a bell": [(A, 0.0, 0.7)]})) == 1


def test_speech_is_apart_and_composed_questions_are_left_out() -> None:
    texts = [("mind the gap", True), ('"mind the gap"', False), ("a bell -dog", False), ("said:(mind the gap)", False)]
    queries = tuple(JudgedQuery(text, speech, ()) for text, speech in texts)
    found = scores(Judgements(queries), {text: [(A, 0.0, 0.5)] for text, _ in texts})
    assert found == [JudgedScore(0, True, 0.5, False), JudgedScore(3, True, 0.5, False)]


def test_every_annotated_thing_is_asked_for_by_its_sense() -> None:
    bell, dog = Truth("bell", 1.0, 2.0), Truth("dog (big)", 0.0, 4.0)
    clips = [
        ClipTruth(A.path, "", "", "", (bell,), (dog,), (Truth("mind the gap", 3.0, 4.0),), "", frozenset()),
        ClipTruth(B.path, "", "", "", (bell, bell), (bell,), (), "", frozenset()),
    ]
    library: Any = Searched({})
    judgements = of_clips(clips, library)
    asked = {query.text: [(entry.path.stem, entry.start_seconds) for entry in query.relevant]
             for query in judgements.queries}  # fmt: skip
    assert asked == {
        "heard:bell": [("a", 1.0), ("b", 1.0), ("b", 1.0)],
        "seen:dog \\(big\\)": [("a", 0.0)],
        "said:mind the gap": [("a", 3.0)],
        "seen:bell": [("b", 1.0)],
    }
    assert (judgements.file_ids, judgements.is_complete) == (frozenset({A.id, B.id}), True)


def test_labels_of_a_dataset_are_complete_and_captions_are_not() -> None:
    events = [IndexedClip(DatasetClip("a", ("a",), events=(Truth("dog bark", 1.0, 2.0),)), (A,))]
    captions = [IndexedClip(DatasetClip(name, (name,), (f"{name} first", f"{name} second")), (file,))
                for name, file in FILES.items()]  # fmt: skip
    labelled, captioned = of_dataset(events), of_dataset(captions)
    assert [query.text for query in labelled.queries] == ["heard:dog bark"]
    assert labelled.is_complete
    assert [(query.text, query.relevant) for query in captioned.queries] == [
        (f"{name} first", (relevant(file),)) for name, file in FILES.items()
    ]
    assert not captioned.is_complete


def test_a_judged_file_outside_the_library_is_an_error() -> None:
    query = JudgedQuery("a bell", False, (Relevant(Path("/media/d.mp4"), None, None, 1.0),))
    with pytest.raises(LibraryError, match=r"d\.mp4"):
        scores(Judgements((query,)), {"a bell": []})
