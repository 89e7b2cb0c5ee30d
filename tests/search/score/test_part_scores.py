"""Scores of parts of files."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np
import pytest

from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.query.language.nodes import Words
from pesearch.search.query.plan import QueryPlan
from pesearch.search.score.calibration import Calibration
from pesearch.search.score.cohort import CohortKind
from pesearch.search.score.hypotheses import Hypothesis
from pesearch.search.score.match_threshold import MatchThreshold
from pesearch.search.score.normalization import ChanceStats
from pesearch.search.score.part_scores import PartScores, score_parts
from pesearch.search.score.window_pooling import file_windows
from pesearch.store.library import Library
from pesearch.types import FloatArray, Part, SpaceName

MakeLibrary = Callable[..., Library]


def test_windows_have_the_certainty_of_their_vectors(make_library: MakeLibrary) -> None:
    library = make_library({"a.mp4": {SpaceName.AUDIO: [[1, 0], [0, 1]], SpaceName.FRAME: [[1, 0]]}}, seconds=15.0)
    (file,) = library.files()
    scores = scored(library, similarity(0, SpaceName.AUDIO, [1, 0]), similarity(0, SpaceName.FRAME, [0, 1]))
    assert scores.windows.tolist() == file_windows(file).tolist() == [[0, 10], [5, 15]]
    assert scores.certainties[:, 0, Hypothesis.HEARD] == pytest.approx([1.0, 0.0], abs=1e-3)
    assert scores.certainties[:, 0, Hypothesis.SEEN] == pytest.approx([0.0, 0.0], abs=1e-3)


def test_the_best_of_several_vectors_of_a_term_counts(make_library: MakeLibrary) -> None:
    library = make_library({"a.wav": {SpaceName.AUDIO: [[0, 1]]}})
    scores = scored(library, similarity(0, SpaceName.AUDIO, [1, 0]), similarity(0, SpaceName.AUDIO, [0, 1]))
    assert scores.certainties[0, 0, Hypothesis.HEARD] == pytest.approx(1.0, abs=1e-3)
    assert scores.spaces[SpaceName.AUDIO].query_numbers.tolist() == [1]


def test_terms_are_scored_separately_and_excluded_terms_are_no_evidence(make_library: MakeLibrary) -> None:
    library = make_library({"a.wav": {SpaceName.AUDIO: [[0, 1]]}})
    queries = [similarity(0, SpaceName.AUDIO, [1, 1]), similarity(1, SpaceName.AUDIO, [1, 0])]
    scores = scored(library, *queries, similarity(2, SpaceName.AUDIO, [0, 1]), is_positive=(True, True, False))
    assert scores.certainties[0, :, Hypothesis.HEARD] == pytest.approx([0.5**0.5, 0.0, 1.0], abs=1e-3)
    assert scores.spaces[SpaceName.AUDIO].query_numbers.tolist() == [0]


def scored(library: Library, *queries: QueryVector, is_positive: tuple[bool, ...] = (True,)) -> PartScores:
    terms = tuple(Words(f"term {number}") for number in range(len(is_positive)))
    whole = whole_of(library)[0]
    plan = QueryPlan(0, terms, is_positive)
    return score_parts(library, plan, Calibration(plan, queries, None), [whole])[whole]


def whole_of(library: Library) -> list[Part]:
    return [Part(file.id, 0.0, math.inf) for file in library.files()]


def similarity(part: int, space: SpaceName, vector: list[float]) -> QueryVector:
    return QueryVector(part, space, np.array(vector, dtype=np.float32), Measure.SIMILARITY)


def test_many_files_at_once_score_as_one_by_one(make_library: MakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    library = make_library(
        {f"{n}.mp4": {SpaceName.AUDIO: [[1, n]], SpaceName.FRAME: [[n, 1]] * n} for n in range(1, 6)}
    )
    plan, query = QueryPlan(0, (Words("a term"),), (True,)), similarity(0, SpaceName.AUDIO, [1, 1])
    calibration = Calibration(plan, [query, similarity(0, SpaceName.FRAME, [1, 0])], None)
    parts = whole_of(library)
    together = score_parts(library, plan, calibration, parts)
    monkeypatch.setattr("pesearch.store.index.part_vectors.PART_BATCH_ROWS", 1)  # one file at a time
    alone = score_parts(library, plan, calibration, parts)
    assert list(together) == list(alone) == parts
    for part in parts:
        assert together[part].certainties == pytest.approx(alone[part].certainties)
        assert together[part].spaces.keys() == alone[part].spaces.keys()


def test_a_part_scores_as_in_the_whole_file(make_library: MakeLibrary) -> None:
    rows = [[float(np.cos(n)), float(np.sin(n))] for n in range(64)]
    library = make_library({"a.mp4": {SpaceName.AUDIO: rows[:7], SpaceName.FRAME: rows}}, seconds=40.0)
    plan = QueryPlan(0, (Words("a term"),), (True,))
    queries = [similarity(0, space, [1, 0]) for space in (SpaceName.AUDIO, SpaceName.FRAME)]
    calibration = Calibration(plan, queries, None)
    (whole,) = whole_of(library)
    part = replace(whole, start_seconds=10.0, end_seconds=30.0)
    all_of_it = score_parts(library, plan, calibration, [whole])[whole]
    some = score_parts(library, plan, calibration, [part])[part]
    inside = (all_of_it.windows[:, 0] >= 10.0) & (all_of_it.windows[:, 1] <= 30.0)
    assert some.windows.tolist() == all_of_it.windows[inside].tolist() == [[10, 20], [15, 25], [20, 30]]
    assert some.certainties == pytest.approx(all_of_it.certainties[inside])
    assert (some.first_step, some.steps) == (250, 500)


class Plain:
    """The normalizer of a library and of each space: deviations are dot products, and 7.5 is as likely as not."""

    def of(self, space: SpaceName) -> Plain:
        return self

    def debias(self, scores: FloatArray, vectors: FloatArray) -> FloatArray:
        return scores

    def chance_stats(self, queries: FloatArray, kind: CohortKind | None) -> ChanceStats:
        return ChanceStats(np.zeros(len(queries)), np.ones(len(queries)))

    def threshold(self, kind: CohortKind, spaces: Collection[SpaceName]) -> MatchThreshold:
        return MatchThreshold(7.5, 1.0)

    def space_threshold(self, kind: CohortKind, space: SpaceName) -> MatchThreshold:
        return MatchThreshold(7.5, 1.0)


def scored_texts(library: Library, *vectors: tuple[SpaceName, list[float]]) -> PartScores:
    queries = [QueryVector(0, space, np.array(vector, np.float32), Measure.TEXT) for space, vector in vectors]
    plan, whole = QueryPlan(0, (Words("a term"),), (True,)), whole_of(library)[0]
    calibration = Calibration(plan, queries, Plain())  # type: ignore[arg-type]  # has what a calibration uses
    return score_parts(library, plan, calibration, [whole])[whole]


def test_the_best_quarter_of_the_frames_of_a_window_counts_for_a_text(make_library: MakeLibrary) -> None:
    """Of eight frames the best two, 8 and 7: a deviation of 7.5."""
    library = make_library({"a.mp4": {SpaceName.FRAME: [[float(value), 0.0] for value in (3, 8, 1, 7, 2, 4, 5, 6)]}})
    scores = scored_texts(library, (SpaceName.FRAME, [1.0, 0.0]))
    assert scores.certainties[0, 0] == pytest.approx([0.5, 0.0, 0.5], abs=1e-3)
    assert scores.spaces[SpaceName.FRAME].deviations.ravel() == pytest.approx([3, 8, 1, 7, 2, 4, 5, 6], abs=1e-2)


def test_of_several_vectors_of_a_text_the_best_counts(make_library: MakeLibrary) -> None:
    library = make_library({"a.wav": {SpaceName.AUDIO: [[2.0, 7.5]]}})
    scores = scored_texts(library, (SpaceName.AUDIO, [1.0, 0.0]), (SpaceName.AUDIO, [0.0, 1.0]))
    assert scores.certainties[0, 0] == pytest.approx([0.0, 0.5, 0.5], abs=1e-3)


def test_the_spaces_of_a_window_add_up(make_library: MakeLibrary) -> None:
    """6 and 6 in two spaces: 12 over the root of 2."""
    library = make_library({"a.mp4": {SpaceName.AUDIO: [[6.0, 0.0]], SpaceName.VIDEO: [[6.0, 0.0]]}})
    scores = scored_texts(library, (SpaceName.AUDIO, [1.0, 0.0]), (SpaceName.VIDEO, [1.0, 0.0]))
    single, both = (1 / (1 + math.exp(7.5 - deviation)) for deviation in (6.0, 12 / math.sqrt(2)))
    assert scores.certainties[0, 0] == pytest.approx([single, single, both], abs=1e-3)
