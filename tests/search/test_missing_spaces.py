"""Libraries in which no file, one file, or a file that was added later has vectors in a searched space."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pesearch.cues import Cue, CueKind
from pesearch.search.query.request import SearchRequest
from pesearch.search.score import library_normalizer
from pesearch.search.search import search
from pesearch.store.library import Library
from pesearch.types import SpaceName
from tests.search.conftest import encoded
from tests.search.fake_models import FakeModels

MakeLibrary = Callable[..., Library]

AUDIO, FRAME = SpaceName.AUDIO, SpaceName.FRAME

TITLE = Cue(0.0, 10.0, "siren", CueKind.TITLE, "3.wav")


def recordings(count: int) -> dict[str, dict[SpaceName, list[list[float]]]]:
    """Recordings that score less and less for [1, 0]."""
    turns = np.linspace(0.3, 2 * np.pi - 1, count)
    return {f"{n}.wav": {AUDIO: [[float(np.cos(turn)), float(np.sin(turn))]]} for n, turn in enumerate(turns)}


def names(library: Library, text: str) -> list[str]:
    models = FakeModels({"siren": [1.0, 0.0]})
    found = search(library, models, SearchRequest(text, locate=False))  # type: ignore[arg-type]  # has what it uses
    return [moment.file.path.name for moment in found.moments]


def test_without_pictures_a_query_for_them_finds_cues_only(make_library: MakeLibrary) -> None:
    library = make_library(recordings(20), cues={"3.wav": [TITLE]})
    assert library.file_ids(FRAME).tolist() == []
    assert names(library, "seen:siren") == []
    assert names(library, "seen:siren OR text:siren") == ["3.wav"]
    assert names(library, "siren")[:2] == ["3.wav", "0.wav"]


def test_a_picture_among_recordings_is_scored_though_no_evenly_spaced_window_is_its_own(
    make_library: MakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_normalizer, "SAMPLE_WINDOWS", 4)
    files = list(recordings(20).items())
    library = make_library(dict([*files[:8], ("a.png", {FRAME: [[1.0, 0.0]]}), *files[8:]]))
    (picture,) = (file.id for file in library.files() if file.path.name == "a.png")
    assert library.file_ids(FRAME).tolist() == [picture]
    assert picture not in library.file_ids(AUDIO).tolist()
    assert names(library, "seen:siren") == ["a.png"]


def test_a_picture_that_is_added_to_a_searched_library_is_scored(make_library: MakeLibrary, tmp_path: Path) -> None:
    library = make_library(recordings(40))
    assert names(library, "siren")[0] == "0.wav"
    with library.writer() as writer:
        writer.add([encoded(tmp_path / "a.png", {FRAME: [[1.0, 0.0]]}, 0.0)])
    assert names(library, "seen:siren") == ["a.png"]
    assert "a.png" in names(library, "siren")
