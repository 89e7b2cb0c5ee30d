"""evaluate() over the sample media."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import LibraryError
from pesearch.evaluation.detection_eval import active_steps
from pesearch.evaluation.evaluate import Evaluation, evaluate
from pesearch.evaluation.ground_truth import ClipTruth, Truth, read_truths
from pesearch.store.library import Library


def test_a_step_is_active_if_its_middle_is() -> None:
    truths = [Truth("siren", 0.04, 0.12), Truth("siren", 0.19, 0.30), Truth("bell", 0.0, 0.01)]
    active = active_steps(truths, ["bell", "siren"], 8)
    assert not active[0].any()
    assert np.flatnonzero(active[1]).tolist() == [1, 2, 5, 6]


@pytest.fixture(scope="module")
def evaluation(sample_library: Library, starter: ModelSet, sample_media: Path) -> Evaluation:
    return evaluate(read_truths(sample_media / "truths.json"), sample_library, starter)


@pytest.mark.slow
def test_metrics_are_between_0_and_1(evaluation: Evaluation) -> None:
    metrics = dataclasses.asdict(evaluation)
    assert metrics.pop("clips") == 14
    for group in metrics.values():
        assert all(0 <= value <= 1 for value in group.values())


@pytest.mark.slow
def test_recall_does_not_decrease_with_k(evaluation: Evaluation) -> None:
    for metrics in (evaluation.text_audio, evaluation.text_video, evaluation.text_audio_video, evaluation.audio_video):
        assert metrics.r1 <= metrics.r5 <= metrics.r10
        assert metrics.r1 <= metrics.relevant1


@pytest.mark.slow
def test_starter_set_scores_on_the_sample_media(evaluation: Evaluation) -> None:
    assert evaluation.text_audio.relevant1 >= 0.7
    assert evaluation.text_video.r1 >= 0.7
    assert evaluation.events.auroc >= 0.9


@pytest.mark.slow
def test_clips_outside_the_library_are_an_error(sample_library: Library, starter: ModelSet, sample_media: Path) -> None:
    truths = read_truths(sample_media / "truths.json")
    stray = dataclasses.replace(truths[0], path=sample_media / "stray.mp4")
    with pytest.raises(LibraryError, match="1 of 2 clips are not in the library"):
        evaluate([truths[1], stray], sample_library, starter)


@pytest.mark.slow
def test_metrics_without_queries_are_nan(sample_library: Library, starter: ModelSet, sample_media: Path) -> None:
    still = ClipTruth(sample_media / "red_ball.png", "", "", "", (), (), (), "", frozenset())
    evaluation = evaluate([still], sample_library, starter)
    assert math.isnan(evaluation.text_audio.r1)
    assert math.isnan(evaluation.speech.relevant1)
    assert math.isnan(evaluation.events.auroc)
