"""The budget of sound detection, with a fake detector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from pesearch.errors import MediaError
from pesearch.search.refine import sound_rescorer
from pesearch.search.refine.sound_rescorer import BUDGET_SECONDS, SoundRescorer
from pesearch.search.score.interval import Interval
from pesearch.store.library import Library
from pesearch.types import FloatArray, MediaFile, SpaceName
from tests.search.fake_models import FakeModels

MakeLibrary = Callable[..., Library]

INTERVAL = Interval(10.0, 20.0, 0.9)
"""Analysed with a margin of 2 s at both ends: 14 s of sound."""


@pytest.fixture
def library(make_library: MakeLibrary) -> Library:
    return make_library({f"{n:02}.wav": {SpaceName.AUDIO: [[1.0, 0.0]]} for n in range(12)}, 100.0)


@pytest.fixture
def detected(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float, float]]:
    """The name, start and end of all sound that is analysed; a siren is heard everywhere."""
    calls: list[tuple[str, float, float]] = []

    def detect(path: Path, start: float, end: float, phrases: Sequence[str], *rest: Any) -> FloatArray:
        calls.append((path.name, start, end))
        return np.full((len(phrases), round((end - start) * 25)), 0.8, dtype=np.float32)

    monkeypatch.setattr(sound_rescorer, "detect", detect)
    return calls


def rescorer_of(library: Library, cancelled: Event | None = None, device_kind: str = "cpu") -> SoundRescorer:
    models = FakeModels()
    models.device_kind = device_kind
    phrases = {"siren": 0}
    return SoundRescorer(library, models, phrases, cancelled or Event())  # type: ignore[arg-type]  # the fake has what it uses


def files(library: Library) -> list[MediaFile]:
    return sorted(library.files(), key=lambda file: file.path)


def test_the_budget_is_spent_by_the_seconds_analysed(
    library: Library, detected: list[tuple[str, float, float]]
) -> None:
    """90 s last for seven intervals of 14 s, the last of which overdraws the budget."""
    assert BUDGET_SECONDS == {"cpu": 90.0, "cuda": 900.0}
    rescorer = rescorer_of(library)
    added = [rescorer.rescore(file, INTERVAL) for file in files(library)]
    assert added == [True] * 7 + [False] * 5
    assert detected == [(f"{n:02}.wav", 8.0, 22.0) for n in range(7)]


def test_stored_features_cost_a_tenth(
    library: Library, detected: list[tuple[str, float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Library, "features", lambda *_: object())
    monkeypatch.setitem(BUDGET_SECONDS, "cpu", 9.0)
    rescorer = rescorer_of(library)
    assert sum(rescorer.rescore(file, INTERVAL) for file in files(library)) == 7


def test_an_unknown_device_has_the_smallest_budget(library: Library, detected: list[tuple[str, float, float]]) -> None:
    rescorer = rescorer_of(library, device_kind="mps")
    assert sum(rescorer.rescore(file, INTERVAL) for file in files(library)) == 7


def test_sound_is_analysed_once(library: Library, detected: list[tuple[str, float, float]]) -> None:
    rescorer, file = rescorer_of(library), files(library)[0]
    assert rescorer.rescore(file, INTERVAL)
    assert not rescorer.rescore(file, Interval(12.0, 18.0, 0.5))
    assert rescorer.rescore(file, Interval(12.0, 30.0, 0.5))
    assert detected == [("00.wav", 8.0, 22.0), ("00.wav", 10.0, 32.0)]


def test_only_the_middle_minute_of_a_long_interval_is_analysed(
    library: Library, detected: list[tuple[str, float, float]]
) -> None:
    rescorer_of(library).rescore(files(library)[0], Interval(0.0, 100.0, 0.9))
    assert detected == [("00.wav", 20.0, 80.0)]


def test_a_cancelled_search_analyses_no_more(library: Library, detected: list[tuple[str, float, float]]) -> None:
    cancelled = Event()
    rescorer = rescorer_of(library, cancelled)
    assert rescorer.rescore(files(library)[0], INTERVAL)
    cancelled.set()
    assert not rescorer.rescore(files(library)[1], INTERVAL)
    assert len(detected) == 1


def test_an_offline_file_keeps_its_score(
    library: Library, detected: list[tuple[str, float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: Any) -> FloatArray:
        raise MediaError("no such file")

    rescorer, file = rescorer_of(library), files(library)[0]
    monkeypatch.setattr(sound_rescorer, "detect", offline)
    assert not rescorer.rescore(file, INTERVAL)
    assert [bool(np.isnan(each.present).all()) for each in rescorer.detections(file.id).values()] == [True]


def test_detections_have_events_and_certainties(library: Library, detected: list[tuple[str, float, float]]) -> None:
    rescorer, file = rescorer_of(library), files(library)[0]
    rescorer.rescore(file, INTERVAL)
    detections = rescorer.detections(file.id)[0]
    (event,) = detections.events
    assert (event.label, event.start_seconds, event.end_seconds) == ("siren", 8.0, 22.0)
    assert event.score == pytest.approx(0.8)
    assert np.flatnonzero(~np.isnan(detections.present)).tolist() == list(range(200, 550))
