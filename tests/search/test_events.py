"""Pieces of a long file, and events from probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import MediaError, QuestionError
from pesearch.search.events import EDGE_STEPS, PIECE_STEPS, events_of, locate_events, pieces
from pesearch.search.metrics import iou
from pesearch.search.truths import read_truths


@given(st.integers(0, 20 * PIECE_STEPS))
def test_every_step_is_used_once_and_heard_with_what_is_around_it(steps: int) -> None:
    reached = 0
    for first, stop, skip, keep in pieces(steps):
        assert 0 < stop - first <= PIECE_STEPS
        assert first + skip == reached
        assert skip >= EDGE_STEPS or first == 0
        assert stop - first - keep >= EDGE_STEPS or stop == steps
        reached = first + keep
    assert reached == steps


def test_events_are_in_file_time_and_in_order() -> None:
    probabilities = np.zeros((2, 250), dtype=np.float32)
    probabilities[0, 100:150] = 0.8
    probabilities[1, 25:75] = 0.6
    first, second = events_of(probabilities, ["siren", "train"], 20.0, 30.0)
    assert (first.label, second.label) == ("train", "siren")
    assert (first.start_seconds, first.end_seconds, first.score) == pytest.approx((21.0, 23.0, 0.6))
    assert (second.start_seconds, second.end_seconds, second.score) == pytest.approx((24.0, 26.0, 0.8))


def test_no_event_goes_on_after_the_file_has_ended() -> None:
    (event,) = events_of(np.ones((1, 100), dtype=np.float32), ["rain"], 0.0, 3.99)
    assert event.end_seconds == 3.99


def test_a_higher_threshold_finds_less() -> None:
    probabilities = np.full((1, 50), 0.5, dtype=np.float32)
    assert len(events_of(probabilities, ["rain"], 0.0, 2.0, threshold=0.3)) == 1
    assert events_of(probabilities, ["rain"], 0.0, 2.0, threshold=0.6) == ()


@pytest.mark.parametrize("phrases", [[], ["siren", " "]])
def test_something_must_be_named(phrases: list[str], sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(QuestionError, match="name at least one sound"):
        locate_events(sample_media / "bell.mp4", phrases, starter)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.5, float("nan")])
def test_a_threshold_is_a_probability(threshold: float, sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(QuestionError, match="threshold"):
        locate_events(sample_media / "bell.mp4", ["bell"], starter, threshold)


@pytest.mark.parametrize("name", ["silent_sun.mp4", "truths.json", "no_such_file.mp4"])
def test_a_file_without_sound_is_an_error(name: str, sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(MediaError):
        locate_events(sample_media / name, ["bell"], starter)


@pytest.mark.slow
def test_sounds_one_after_the_other_are_located(sample_media: Path, starter: ModelSet) -> None:
    path = sample_media / "siren_train.mp4"
    (truth,) = (clip for clip in read_truths(sample_media / "truths.json") if clip.path == path)
    events = locate_events(path, ["siren", "train"], starter)
    for heard in truth.heard:
        fits = [
            iou((heard.start_seconds, heard.end_seconds), (event.start_seconds, event.end_seconds))
            for event in events
            if event.label == heard.what
        ]
        assert max(fits, default=0.0) >= 0.5


@pytest.mark.slow
def test_a_sound_that_is_not_there_is_not_located(sample_media: Path, starter: ModelSet) -> None:
    assert not [event for event in locate_events(sample_media / "bell.mp4", ["drum"], starter) if event.score > 0.6]
