"""What hearing a moment again does to its score and its ends."""

from __future__ import annotations

import numpy as np
import pytest

from pesearch.search.calibrate import fuse
from pesearch.search.listen import narrowed, with_sound
from pesearch.search.moments import Stretch
from pesearch.search.retrieve import Asked
from pesearch.search.score import SPACES
from pesearch.types import Event, FloatArray

WINDOW = Stretch(1, 0.0, 10.0, 0.5, frozenset())


def heard(*levels: float) -> FloatArray:
    """The probabilities of sounds that last a second of two, each at its level."""
    return np.array([[level] * 25 + [0.0] * 25 for level in levels], dtype=np.float32)


def test_a_term_that_is_heard_raises_the_score_and_one_that_is_not_lowers_it() -> None:
    both = Asked(1, ("siren", "train"), ())
    certainties = np.full((3, len(SPACES)), 0.5)
    loud = fuse(with_sound(certainties, heard(0.9, 0.9), both), 1)
    lacking = fuse(with_sound(certainties, heard(0.9, 0.0), both), 1)
    assert loud > fuse(certainties, 1) >= lacking


def test_the_only_term_is_the_whole_text() -> None:
    one = Asked(1, ("siren",), ())
    assert with_sound(np.zeros((1, len(SPACES))), heard(0.8), one).max() == pytest.approx(0.4)


def test_what_is_given_stays_as_it_was() -> None:
    certainties = np.full((1, len(SPACES)), 0.5)
    with_sound(certainties, heard(0.9), Asked(1, ("siren",), ()))
    assert (certainties == 0.5).all()


def test_a_moment_narrows_to_where_all_its_sounds_are() -> None:
    events = [Event("train", 3.0, 5.6, 0.9), Event("siren", 0.6, 2.8, 0.9), Event("siren", 4.0, 4.4, 0.5)]
    narrow = narrowed(WINDOW, events, ["siren", "train"])
    assert (narrow.start_seconds, narrow.end_seconds) == (0.6, 5.6)
    assert narrow.score == WINDOW.score


@pytest.mark.parametrize("events", [[], [Event("siren", 0.6, 2.8, 0.9)]])
def test_a_moment_of_which_a_part_is_not_heard_keeps_its_ends(events: list[Event]) -> None:
    assert narrowed(WINDOW, events, ["siren", "train"]) == WINDOW
