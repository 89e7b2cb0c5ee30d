"""Figures over the sample media, and the pieces that they are made of."""

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


def test_a_step_is_active_when_its_middle_is() -> None:
    truths = [Truth("siren", 0.04, 0.12), Truth("siren", 0.19, 0.30), Truth("bell", 0.0, 0.01)]
    active = active_steps(truths, ["bell", "siren"], 8)
    assert not active[0].any()
    assert np.flatnonzero(active[1]).tolist() == [1, 2, 5, 6]


@pytest.fixture(scope="module")
def evaluation(sample_library: Library, starter: ModelSet, sample_media: Path) -> Evaluation:
    return evaluate(read_truths(sample_media / "truths.json"), sample_library, starter)


@pytest.mark.slow
def test_every_figure_is_a_share(evaluation: Evaluation) -> None:
    figures = dataclasses.asdict(evaluation)
    assert figures.pop("clips") == 14
    for group in figures.values():
        assert all(0 <= value <= 1 for value in group.values())


@pytest.mark.slow
def test_more_may_be_found_among_more(evaluation: Evaluation) -> None:
    for figures in (evaluation.text_audio, evaluation.text_video, evaluation.text_audio_video, evaluation.audio_video):
        assert figures.r1 <= figures.r5 <= figures.r10
        assert figures.r1 <= figures.relevant1


@pytest.mark.slow
def test_the_starter_set_knows_the_sample_media(evaluation: Evaluation) -> None:
    assert evaluation.text_audio.relevant1 >= 0.7
    assert evaluation.text_video.r1 >= 0.7
    assert evaluation.events.auroc >= 0.9


@pytest.mark.slow
def test_clips_that_are_not_in_the_library_are_an_error(
    sample_library: Library, starter: ModelSet, sample_media: Path
) -> None:
    truths = read_truths(sample_media / "truths.json")
    stray = dataclasses.replace(truths[0], path=sample_media / "stray.mp4")
    with pytest.raises(LibraryError, match="1 of 2 clips are not in the library"):
        evaluate([truths[1], stray], sample_library, starter)


@pytest.mark.slow
def test_what_cannot_be_asked_is_not_a_number(sample_library: Library, starter: ModelSet, sample_media: Path) -> None:
    still = ClipTruth(sample_media / "red_ball.png", "", "", "", (), (), (), "", frozenset())
    evaluation = evaluate([still], sample_library, starter)
    assert math.isnan(evaluation.text_audio.r1)
    assert math.isnan(evaluation.speech.relevant1)
    assert math.isnan(evaluation.events.auroc)
