"""The oracle on deviations whose best classifier is known, and the deviations on the sample library."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.absences import Presence
from benchmarks.oracle import best_deviations, compare_with_oracle, cross_validated
from pesearch.encoders.model_set import ModelSet
from pesearch.evaluation.metrics import auroc, calibration_error
from pesearch.search.query.request import SearchRequest
from pesearch.search.score.cohort import CohortKind
from pesearch.search.score.hypotheses import Hypothesis
from pesearch.search.score.library_normalizer import score_normalizers
from pesearch.search.search import search
from pesearch.store.library import Library
from pesearch.types import MEDIA_SPACES, SpaceName

LABELS = np.arange(400) % 2 == 0


def gaussian(columns: int, distance: float, seed: int, labels: np.ndarray = LABELS) -> np.ndarray:
    """Independent columns of normal values, higher by `distance` where the label is set."""
    return np.random.default_rng(seed).standard_normal((len(labels), columns)) + distance * labels[:, None]


def test_what_is_separable_is_separated() -> None:
    predicted = cross_validated(np.where(LABELS, 5.0, 1.0)[:, None], LABELS, seed=0)
    assert auroc(predicted, LABELS) == 1.0
    assert ((predicted > 0.9) == LABELS).all()


def test_noise_is_not_told_apart_however_many_columns_it_has() -> None:
    labels = LABELS[:80]
    predicted = cross_validated(gaussian(30, 0.0, seed=1, labels=labels), labels, seed=0)
    assert auroc(predicted, labels) == pytest.approx(0.5, abs=0.12)


def test_two_independent_spaces_are_better_than_either() -> None:
    features = gaussian(2, 1.2, seed=2)
    singles = [auroc(features[:, column], LABELS) for column in (0, 1)]
    both = auroc(cross_validated(features, LABELS, seed=0), LABELS)
    assert max(singles) < 0.82
    assert both == pytest.approx(0.88, abs=0.03)  # Phi(1.2 * sqrt(2) / sqrt(2)) = 0.885


def test_its_probabilities_are_calibrated() -> None:
    predicted = cross_validated(gaussian(2, 1.2, seed=3), LABELS, seed=0)
    assert calibration_error(predicted, LABELS) < 0.06


def test_a_space_that_is_not_searched_changes_nothing() -> None:
    features = gaussian(1, 1.0, seed=4)
    padded = np.column_stack([np.full(len(LABELS), np.nan), features])
    assert np.array_equal(cross_validated(padded, LABELS, seed=0), cross_validated(features, LABELS, seed=0))


def test_without_evidence_the_base_rate_is_predicted() -> None:
    labels = np.arange(80) % 4 == 0
    predicted = cross_validated(gaussian(1, 0.0, 5, labels), labels, seed=0)
    assert predicted.mean() == pytest.approx(0.25, abs=0.02)


def test_one_row_of_a_label_is_not_enough() -> None:
    with pytest.raises(ValueError, match="two rows"):
        cross_validated(np.ones((5, 1)), np.arange(5) == 0, seed=0)


def test_spoken_phrases_have_a_classifier_of_their_own() -> None:
    """Phrases are there when they score low, names when they score high."""
    there = [number % 2 == 0 for number in range(40)]
    questions = [Presence(text, each) for text in ("said:(mind the gap)", "a red car", "a dog") for each in there]
    deviations = np.array([[float(each.is_there != each.text.startswith("said"))] for each in questions])
    found = list(compare_with_oracle("made up", questions, deviations, np.full(120, 0.5), seed=0))
    assert [(each.kind, each.reached.questions) for each in found] == [
        ("all", 120), ("names", 40), ("coloured", 40), ("said", 40)
    ]  # fmt: skip
    assert {each.oracle.auroc for each in found} == {1.0}
    assert {each.reached.auroc for each in found} == {0.5}


@pytest.mark.slow
def test_deviations_are_those_that_a_search_decides_by(sample_library: Library, starter: ModelSet) -> None:
    texts = ["siren and train", "a red ball", "said:(mind the gap)"]
    best = best_deviations(sample_library, starter, texts)
    assert best.shape == (3, len(MEDIA_SPACES) + len(Hypothesis))
    assert np.isnan(best[:2]).sum() == 0
    combined = [len(MEDIA_SPACES) + hypothesis for hypothesis in (Hypothesis.HEARD, Hypothesis.BOTH)]
    heard = [MEDIA_SPACES.index(SpaceName.AUDIO), *combined]
    assert np.flatnonzero(~np.isnan(best[2])).tolist() == heard
    normalizer = score_normalizers(sample_library).of(sample_library, starter)
    of_names = normalizer.threshold(CohortKind.NAMES, MEDIA_SPACES)
    (alone,) = best_deviations(sample_library, starter, ["a dog"])
    found = search(sample_library, starter, SearchRequest("a dog", k=1, locate=False))
    assert found.moments[0].score == pytest.approx(of_names.probability(alone[len(MEDIA_SPACES) :].max()), abs=1e-6)
