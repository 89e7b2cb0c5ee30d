"""Figures of scores for present and absent things, against values computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.absences import Presence, QueryKind
from benchmarks.abstention import Abstention
from benchmarks.separation import TARGETS, nearest_targets


def test_figures_of_five_queries() -> None:
    found = Abstention.of(np.array([0.9, 0.5, 0.3, 0.6, 0.1]), np.array([True, True, True, False, False]))
    assert found.questions == 5
    assert found.auroc == pytest.approx(4 / 6)
    assert found.calibration_error == pytest.approx((0.1 + 0.5 + 0.7 + 0.6 + 0.1) / 5)
    assert (found.answered_there, found.answered_absent) == (pytest.approx(2 / 3), 0.5)


def test_without_absent_things_no_share_of_them_is_answered() -> None:
    assert math.isnan(Abstention.of(np.array([0.9]), np.array([True])).answered_absent)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("said:(mind the gap)", QueryKind.SAID),
        ("a red car", QueryKind.COLOURED),
        ("a dog", QueryKind.NAME),
        ("a redhead", QueryKind.NAME),
    ],
)
def test_kinds_of_queries(text: str, kind: QueryKind) -> None:
    assert Presence(text, True).kind is kind


@pytest.mark.parametrize(("reached", "noise"), [(1.0, 0.0), (0.975, 1.0), (0.93, 2.0), (0.7, 3.0)])
def test_targets_of_a_set_are_those_of_the_nearest_noise(reached: float, noise: float) -> None:
    assert nearest_targets(reached) == TARGETS[noise]
