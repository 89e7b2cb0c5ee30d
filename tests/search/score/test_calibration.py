"""The calibration of each measure, and the certainty of the hypotheses of a term."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.query.language.nodes import Sense, Words
from pesearch.search.query.plan import QueryPlan
from pesearch.search.score.calibration import Calibration
from pesearch.search.score.cohort import COHORT, CohortKind
from pesearch.search.score.match_threshold import Deviations, MatchThreshold
from pesearch.search.score.normalization import SpaceNormalizer
from pesearch.search.score.window_pooling import WindowRows
from pesearch.types import MEDIA_SPACES, SpaceName

FRAME, VIDEO, AUDIO, AUDIO_VIDEO = MEDIA_SPACES

NAN = float("nan")


@dataclass
class FixedThresholds:
    """A library's normalizer with thresholds that depend on the kind of the text and the number of spaces only."""

    spaces: dict[SpaceName, SpaceNormalizer]

    def of(self, space: SpaceName) -> SpaceNormalizer:
        return self.spaces[space]

    def threshold(self, kind: CohortKind, spaces: Collection[SpaceName]) -> MatchThreshold:
        return MatchThreshold((4.0 if kind is CohortKind.NAMES else 2.0) + len(set(spaces)), 0.5)

    def space_threshold(self, kind: CohortKind, space: SpaceName) -> MatchThreshold:
        return self.threshold(kind, {space})


def logistic(deviation: float, centre: float) -> float:
    return 1 / (1 + math.exp(-(deviation - centre) / 0.5))


def vector(space: SpaceName, values: list[float], measure: Measure, term: int = 0) -> QueryVector:
    return QueryVector(term, space, np.array(values, dtype=np.float32), measure)


def calibration(*queries: QueryVector, senses: tuple[Sense | None, ...] = (None,), spaces: Any = None) -> Calibration:
    terms = tuple(Words(f"term {number}", sense) for number, sense in enumerate(senses))
    return Calibration(QueryPlan(0, terms, (True,) * len(terms)), queries, FixedThresholds(spaces or {}))  # type: ignore[arg-type]  # the fake has what it uses


def chance_of(space: SpaceName) -> SpaceNormalizer:
    """Windows that a query [1] scores 0 to 100 in, and the cohort 0 to 10."""
    vectors = np.arange(101, dtype=np.float32)[:, None]
    rows = WindowRows(np.arange(101), np.arange(101) + 1)
    return SpaceNormalizer(space, vectors, rows, np.full((len(COHORT), 1), 0.1, np.float32))


def test_similarity_is_the_cosine_and_never_negative() -> None:
    vectors = np.array([[5.0, 0.0], [1.0, 1.0], [-1.0, 0.0], [0.0, 0.0]], dtype=np.float32)
    scored = Calibration(
        QueryPlan(0, (Words("a term"),), (True,)), [vector(AUDIO, [2.0, 0.0], Measure.SIMILARITY)], None
    ).score(AUDIO, vectors)
    assert scored.numbers == [0]
    assert scored.scores.ravel().tolist() == [10.0, 2.0, -2.0, 0.0]
    assert scored.certainties.ravel() == pytest.approx([1.0, 0.5**0.5, 0.0, 0.0])
    assert np.isnan(scored.deviations).all()


def test_texts_have_deviations_and_a_sound_counts_seven_tenths_in_the_video_space() -> None:
    """Chance scores are 0 to 100: their median is 50, their spread 34. Those of the cohort are a tenth of that, and
    bound a text's to 5 and three times 3.4."""
    queries = [vector(VIDEO, [1.0], measure) for measure in (Measure.TEXT, Measure.SOUND_TO_VIDEO, Measure.JOINT)]
    calibrated = calibration(*queries, spaces={VIDEO: chance_of(VIDEO)})
    scored = calibrated.score(VIDEO, np.array([[234.0], [56.0]], dtype=np.float32))
    assert scored.scores.tolist() == [[234.0] * 3, [56.0] * 3]
    assert scored.deviations == pytest.approx(
        np.array([[229 / 10.2, NAN, NAN], [5.0, NAN, NAN]]), abs=1e-5, nan_ok=True
    )
    far, near = logistic((234 - 50) / 34, 5.0), logistic((56 - 50) / 34, 5.0)
    assert scored.certainties == pytest.approx(np.array([[1.0, 0.7 * far, far], [0.5, 0.7 * near, near]]), abs=1e-6)
    assert 0.5 < far < 0.99


def test_what_is_said_is_compared_with_sentences() -> None:
    """All texts score 0 to 10 on the same windows: names and sentences differ in their threshold only."""
    queries = [vector(AUDIO, [0.1], Measure.TEXT, term) for term in (0, 1)]
    scored = calibration(*queries, senses=(None, Sense.SAID), spaces={AUDIO: chance_of(AUDIO)}).score(
        AUDIO, np.array([[170.0]], dtype=np.float32)
    )
    (deviations,) = scored.deviations.tolist()
    assert deviations == pytest.approx([(17 - 5) / 3.4] * 2, abs=1e-3)
    assert scored.certainties[0] == pytest.approx([logistic(12 / 3.4, 5.0), logistic(12 / 3.4, 3.0)], abs=1e-3)


def test_only_the_query_vectors_of_a_space_are_compared() -> None:
    queries = [vector(space, [1.0, 0.0], Measure.SIMILARITY) for space in (AUDIO, FRAME, AUDIO)]
    scored = calibration(*queries).score(AUDIO, np.ones((3, 2), dtype=np.float32))
    assert scored.numbers == [0, 2]
    assert scored.scores.shape == scored.deviations.shape == scored.certainties.shape == (3, 2)


def test_deviations_of_the_searched_spaces_add_up_by_hypothesis() -> None:
    """Searched in four spaces: a threshold of 8. A second window has a vector in one space only, where it is 5; a third
    in none."""
    texts = calibration(*(vector(space, [1.0], Measure.TEXT) for space in MEDIA_SPACES))
    deviations = np.array([[[4.0, 3.0, 6.0, 5.0]], [[NAN, NAN, 8.0, NAN]], [[NAN] * 4]])
    combined = texts.combine(deviations, np.zeros((3, 1, 4)))
    assert combined[0, 0] == pytest.approx(
        [logistic(12 / math.sqrt(3), 8.0), logistic(11 / math.sqrt(2), 8.0), logistic(18 / 2, 8.0)]
    )
    assert combined[1, 0] == pytest.approx([0.0, logistic(8.0, 5.0), logistic(8.0, 5.0)])
    assert combined[2, 0].tolist() == [0.0] * 3


def test_each_text_has_the_threshold_of_its_kind_and_spaces() -> None:
    queries = [vector(space, [1.0], Measure.TEXT, term) for term, space in ((0, AUDIO), (1, AUDIO), (1, AUDIO_VIDEO))]
    texts = calibration(*queries, senses=(Sense.HEARD, Sense.SAID))
    combined = texts.combine(np.array([[[9.0, 9.0, 5.0, 9.0], [9.0, 9.0, 3.0, 2.0]]]), np.zeros((1, 2, 4)))
    assert combined[0, 0] == pytest.approx([0.0, 0.5, 0.5])
    summed = 5 / math.sqrt(2)
    assert combined[0, 1] == pytest.approx([logistic(2.0, 4.0), logistic(summed, 4.0), logistic(summed, 4.0)])


def test_an_example_is_as_certain_as_its_best_space() -> None:
    examples = calibration(vector(AUDIO, [1.0], Measure.SIMILARITY), vector(FRAME, [1.0], Measure.SIMILARITY))
    combined = examples.combine(np.full((1, 1, 4), NAN), np.array([[[0.3, 0.6, 0.8, 0.7]]]))
    assert combined[0, 0].tolist() == [0.6, 0.8, 0.7]  # frame and video, audio, both together


def test_without_windows_or_vectors_no_threshold_is_needed() -> None:
    class NoThreshold(FixedThresholds):
        def threshold(self, kind: CohortKind, spaces: Collection[SpaceName]) -> MatchThreshold:
            raise AssertionError("a library without windows has no threshold")

    plan, normalizer = QueryPlan(0, (Words("a term"),), (True,)), NoThreshold({})
    texts = Calibration(plan, [vector(AUDIO, [1.0], Measure.TEXT)], normalizer)  # type: ignore[arg-type]  # the fake has what it uses
    assert texts.combine(np.zeros((0, 1, 4)), np.zeros((0, 1, 4))).shape == (0, 1, 3)
    assert texts.combine(np.full((2, 1, 4), NAN), np.zeros((2, 1, 4))).tolist() == [[[0.0] * 3]] * 2


def test_texts_without_the_normalizer_of_a_library_are_an_error() -> None:
    plan = QueryPlan(0, (Words("a term"),), (True,))
    with pytest.raises(ValueError, match="normalizer"):
        Calibration(plan, [vector(AUDIO, [1.0], Measure.TEXT)], None).score(AUDIO, np.ones((1, 1), np.float32))


DEVIATIONS = arrays(np.float64, (3, 1, 4), elements=st.floats(-100, 100) | st.just(NAN))


@given(DEVIATIONS)
def test_certainties_are_in_0_to_1(deviations: Deviations) -> None:
    texts = calibration(*(vector(space, [1.0], Measure.TEXT) for space in MEDIA_SPACES))
    combined = texts.combine(deviations, np.zeros((3, 1, 4)))
    assert ((combined >= 0) & (combined <= 1)).all()


@given(DEVIATIONS, st.integers(0, 2), st.integers(0, 3), st.floats(0, 50))
def test_certainties_are_monotonic_in_each_deviation(
    deviations: Deviations, window: int, space: int, more: float
) -> None:
    texts, higher = calibration(*(vector(each, [1.0], Measure.TEXT) for each in MEDIA_SPACES)), deviations.copy()
    higher[window, 0, space] += more
    before, after = (texts.combine(each, np.zeros((3, 1, 4))) for each in (deviations, higher))
    assert (after >= before).all()
