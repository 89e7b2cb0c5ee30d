"""Ranking metrics against torchmetrics and scikit-learn, and the rule for ties."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from pesearch.deferred_dynamo import defer_dynamo
from pesearch.encoders.torchvision_ops import ensure_torchvision
from pesearch.evaluation.metrics import auroc, calibration_error, first_relevant_ranks, recall_at
from pesearch.evaluation.ranking import (
    REWEIGHT_SCALE,
    average_precisions,
    column_log_sums,
    dual_softmax,
    ndcg_at,
    ranking_metrics,
)

SEEDS = range(25)
AGREED = json.loads((Path(__file__).parent / "agreed.json").read_text(encoding="utf-8"))
"""Random data with the values of reference libraries, written by `benchmarks/metric_libraries.py --record`."""


@pytest.fixture(scope="module")
def references() -> ModuleType:
    """torchmetrics' functions. It imports torchvision, which takes a second: not before a test needs it."""
    defer_dynamo()
    ensure_torchvision()
    return import_module("torchmetrics.functional")


@pytest.fixture(autouse=True)
def in_double_precision() -> Iterator[None]:
    """torchmetrics computes its discounts in torch's default precision."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def random_queries(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct scores, and grades 0..3 with a relevant item for each query, [queries, items]."""
    random = np.random.default_rng(seed)
    shape = (int(random.integers(1, 8)), int(random.integers(1, 40)))
    scores = random.permutation(shape[0] * shape[1]).reshape(shape) / 7.0 + 0.5  # torchmetrics requires scores above 0
    grades = random.integers(0, 4, shape) * (random.random(shape) < 0.3)
    grades[np.arange(shape[0]), random.integers(0, shape[1], shape[0])] = 2
    return scores, grades.astype(np.float64)


@pytest.mark.parametrize("seed", SEEDS)
def test_rankings_agree_with_torchmetrics(seed: int, references: ModuleType) -> None:
    scores, grades = random_queries(seed)
    retrieval, relevant = references.retrieval, grades > 0
    theirs = [(torch.from_numpy(row), torch.from_numpy(graded)) for row, graded in zip(scores, grades, strict=True)]
    for k in (1, 5, 10):
        hits = [float(retrieval.retrieval_hit_rate(row, graded > 0, top_k=k)) for row, graded in theirs]
        assert recall_at(first_relevant_ranks(scores, relevant), k) == pytest.approx(np.mean(hits), abs=1e-9)
    precisions = [float(retrieval.retrieval_average_precision(row, graded > 0)) for row, graded in theirs]
    np.testing.assert_allclose(
        average_precisions(scores, relevant), precisions, atol=1e-6, rtol=0
    )  # torchmetrics is in single precision
    gains = [float(retrieval.retrieval_normalized_dcg(row, graded, top_k=10)) for row, graded in theirs]
    np.testing.assert_allclose(ndcg_at(scores, grades, 10), gains, atol=1e-6, rtol=0)


@pytest.mark.parametrize("case", AGREED)
def test_rankings_agree_with_scikit_learn(case: dict[str, Any]) -> None:
    scores, grades = np.array([case["ranking"]["scores"]]), np.array([case["ranking"]["grades"]])
    theirs = case["libraries"]
    assert average_precisions(scores, grades > 0)[0] == pytest.approx(theirs["average_precision"], abs=1e-9)
    assert ndcg_at(scores, grades, 10)[0] == pytest.approx(theirs["ndcg10"], abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_probabilities_agree_with_torchmetrics(seed: int, references: ModuleType) -> None:
    random = np.random.default_rng(seed)
    probabilities = np.round(random.random(200), int(random.integers(1, 6)))  # with ties where rounded
    positive = random.random(200) < probabilities
    theirs = torch.from_numpy(probabilities), torch.from_numpy(positive.astype(np.int64))
    assert auroc(probabilities, positive) == pytest.approx(
        float(references.classification.binary_auroc(*theirs)), abs=1e-9
    )
    confidence = (random.permutation(200) + 0.5) / 200  # none on the edge of a bin
    calibration = references.classification.binary_calibration_error
    error = calibration(torch.from_numpy(confidence), theirs[1], n_bins=10, norm="l1")
    assert calibration_error(confidence, positive) == pytest.approx(float(error), abs=1e-9)


def test_irrelevant_items_rank_first_in_a_tie() -> None:
    scores, grades = np.zeros((1, 4)), np.array([[0.0, 2.0, 0.0, 1.0]])
    assert first_relevant_ranks(scores, grades > 0).tolist() == [3]
    assert average_precisions(scores, grades > 0).tolist() == pytest.approx([(1 / 3 + 2 / 4) / 2])
    worst = (1 / math.log2(4) + 2 / math.log2(5)) / (2 / math.log2(2) + 1 / math.log2(3))
    assert ndcg_at(scores, grades, 10).tolist() == pytest.approx([worst])


def test_a_query_without_relevant_items_is_an_error() -> None:
    for figure in (average_precisions, lambda scores, grades: ndcg_at(scores, grades, 10)):
        with pytest.raises(ValueError, match="no relevant"):
            figure(np.zeros((1, 2)), np.zeros((1, 2), dtype=bool))


@pytest.mark.parametrize("seed", SEEDS)
def test_dual_softmax_equals_the_reference_for_any_blocks(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores = random.normal(0, 2, (23, 11))
    scaled = torch.from_numpy(scores) * REWEIGHT_SCALE
    expected = (scaled * scaled.softmax(dim=0)).numpy()
    blocks = np.array_split(scores * REWEIGHT_SCALE, int(random.integers(1, 8)))
    sums = column_log_sums(blocks)
    found = np.concatenate([dual_softmax(block, sums) for block in blocks])
    np.testing.assert_allclose(found, expected, atol=1e-9, rtol=0)


def test_dual_softmax_weights_down_items_that_match_every_query() -> None:
    scores = np.array([[0.5, 0.6], [0.1, 0.7]])  # the second item is the best for both queries
    weighted = dual_softmax(scores * REWEIGHT_SCALE, column_log_sums([scores * REWEIGHT_SCALE]))
    assert weighted.argmax(axis=1).tolist() == [0, 1]


def test_metrics_do_not_depend_on_the_blocks() -> None:
    scores, grades = random_queries(7)
    whole = ranking_metrics([(scores, grades > 0)])
    assert ranking_metrics([(scores[:1], grades[:1] > 0), (scores[1:], grades[1:] > 0)]) == pytest.approx(whole)
    assert math.isnan(ranking_metrics([]).ndcg10)
