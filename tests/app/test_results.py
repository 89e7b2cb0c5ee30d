"""The data of the list of moments, without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pesearch.app import results
from pesearch.locations import Location
from pesearch.search.result import CONFIDENT
from pesearch.types import MediaFile, MediaInfo, MediaKind, Moment, NearDuplicate


@pytest.mark.parametrize(
    ("parameter", "threshold"),
    [
        ("0", 0.0), ("0.35", 0.35), ("1", 1.0),
        ("much", CONFIDENT), ("nan", CONFIDENT), ("-1", CONFIDENT), ("7", CONFIDENT), ("", CONFIDENT),
    ],
)  # fmt: skip
def test_the_threshold_comes_from_the_url_when_it_is_valid(
    parameter: str, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "st", SimpleNamespace(query_params={"level": parameter}))
    assert results._threshold() == threshold


def test_without_the_parameter_the_threshold_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "st", SimpleNamespace(query_params={}))
    assert results._threshold() == CONFIDENT


def test_a_card_says_how_many_are_like_it() -> None:
    file = MediaFile(1, "print", MediaInfo(MediaKind.VIDEO, 9.0, None, None), (Location(Path("/a.mp4"), 1, 1),))
    moment = Moment(1, file, 1.0, 2.0, 0.9, (), (), (), (NearDuplicate(file, 5.0, 6.0, 0.8),))
    shown = results._moment_data(moment, False)
    assert shown["near_duplicates"] == "1 like it: a.mp4 00:05.0-00:06.0"
    assert results._moment_data(replace(moment, near_duplicates=()), False)["near_duplicates"] == ""
