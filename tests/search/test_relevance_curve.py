"""Relevance curves of a file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import SnapshotExpired
from pesearch.search import relevance_curve
from pesearch.search.query.request import SearchRequest
from pesearch.search.relevance_curve import Curve, _resample, relevance
from pesearch.search.score.part_scores import score_parts
from pesearch.store.library import Library
from pesearch.types import MediaFile


def file_named(library: Library, name: str) -> MediaFile:
    return next(file for file in library.files() if file.path.name == name)


def curves(library: Library, models: ModelSet, text: str, name: str) -> dict[str, Curve]:
    found = relevance(library, models, SearchRequest(text), file_named(library, name))
    return {curve.sense: curve for curve in found}


@pytest.mark.slow
def test_each_sense_has_a_curve_over_the_whole_file(sample_library: Library, starter: ModelSet) -> None:
    found = curves(sample_library, starter, "siren and train", "siren_train.mp4")
    assert found.keys() == {"heard", "seen", "seen and heard"}
    for curve in found.values():
        assert len(curve.values) * curve.step_seconds == pytest.approx(6.0, abs=0.1)
        assert ((curve.values >= 0) & (curve.values <= 1)).all()
    assert found["heard"].values.max() > 0.9


@pytest.mark.slow
def test_an_absent_sound_has_low_relevance_everywhere(sample_library: Library, starter: ModelSet) -> None:
    found = curves(sample_library, starter, "heard:drum", "siren_alone.wav")
    assert found["heard"].values.max() < 0.5


@pytest.mark.slow
def test_a_scene_has_high_relevance_while_it_lasts(sample_library: Library, starter: ModelSet) -> None:
    curve = curves(sample_library, starter, "seen:ball", "six_scenes.mp4")["seen"]
    times = (np.arange(len(curve.values)) + 0.5) * curve.step_seconds
    is_shown = ((times > 8) & (times < 12)) | (times > 20)  # by truths.json
    assert times[-1] == pytest.approx(24.0, abs=0.5)
    assert curve.values[is_shown].min() > 0.9
    assert curve.values[is_shown].mean() - curve.values[~is_shown].mean() > 0.3


@pytest.mark.slow
def test_a_still_image_has_no_curve_and_a_sense_prefix_leaves_one(sample_library: Library, starter: ModelSet) -> None:
    assert curves(sample_library, starter, "ball", "red_ball.png") == {}
    assert curves(sample_library, starter, "heard:siren", "siren_train.mp4").keys() == {"heard"}


def test_a_curve_is_linear_between_segments_and_keeps_peaks() -> None:
    segments = np.array([[0.0, 2.0], [4.0, 6.0], [5.9, 6.1]])
    values = _resample(segments, np.array([0.0, 1.0, 0.4]), 1.0, 8)
    assert values[1] == pytest.approx(0.125)
    assert values[5] == pytest.approx(1.0)
    assert len(values) == 8


def test_an_expired_snapshot_is_retried_on_the_current_one(
    sample_library: Library, starter: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = curves(sample_library, starter, "siren", "siren_alone.wav")
    attempts: list[int] = []

    def expiring(*arguments: Any) -> Any:
        attempts.append(len(attempts))
        if len(attempts) == 1:
            raise SnapshotExpired("swept")
        return score_parts(*arguments)

    monkeypatch.setattr(relevance_curve, "score_parts", expiring)
    found = curves(sample_library, starter, "siren", "siren_alone.wav")
    assert len(attempts) == 2
    assert found.keys() == expected.keys() == {"heard"}
    assert found["heard"].values == pytest.approx(expected["heard"].values)
