"""Exact moments of a small fixed library: any change of a constant or a formula of the ranking shows here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pesearch.cues import Cue, CueKind
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import SearchResult, search
from pesearch.store.library import Library, open_library
from pesearch.types import SpaceName
from tests.search.conftest import encoded
from tests.search.fake_models import FakeModels

pytestmark = pytest.mark.usefixtures("without_copies")

MakeLibrary = Callable[..., Library]

SIREN, TRAIN = [1.0, 0.0], [0.0, 1.0]
AUDIO, FRAME, VIDEO = SpaceName.AUDIO, SpaceName.FRAME, SpaceName.VIDEO


def at(degrees: float, length: float = 1.0) -> list[float]:
    return [length * float(np.cos(np.radians(degrees))), length * float(np.sin(np.radians(degrees)))]


@pytest.fixture
def library(make_library: MakeLibrary) -> Library:
    """Short vectors in all directions are chance; the long ones of a few files match to different degrees."""
    files = {f"chance{n}.mp4": {AUDIO: [at(n * 37, 0.5)], VIDEO: [at(n * 53, 0.5)]} for n in range(20)}
    files |= {
        "siren.mp4": {AUDIO: [at(0, 2.1), at(90, 0.5), at(0, 1.8)], VIDEO: [at(200, 0.5)] * 3},
        "both.mp4": {AUDIO: [at(10, 2.0), at(80, 2.1), at(40, 0.5)], VIDEO: [at(5, 1.8), at(85, 1.9), at(0, 0.1)]},
        "train.mp4": {AUDIO: [at(90, 5.8), at(90, 2.0), at(270, 0.5)], VIDEO: [at(90, 5.6)] * 3},
        "faint.mp4": {AUDIO: [at(20, 1.7), at(20, 0.2), at(20, 0.2)], VIDEO: [at(0, 1.6), at(0, 0.1), at(0, 0.1)]},
        "text.mp4": {AUDIO: [at(180, 0.5)] * 3, VIDEO: [at(180, 0.5)] * 3},
    }
    cues = {
        "text.mp4": [
            Cue(2.0, 4.0, "a siren", CueKind.SUBTITLE, "text.srt"),
            Cue(0.0, 20.0, "train", CueKind.TITLE, "text.mp4"),
        ]
    }
    return make_library(files, 20.0, cues)


@pytest.fixture
def models() -> FakeModels:
    return FakeModels({"siren": SIREN, "train": TRAIN, "siren and train": at(45)})


GOLDEN = {
    "said:train": [
        ("train", 0.0, 15.0, 1.000000),
        ("both", 5.0, 15.0, 0.896771),
        ("faint", 0.0, 10.0, 0.003793),
        ("siren", 5.0, 15.0, 0.002485),
        ("chance12", 0.0, 10.0, 0.002451),
        ("chance2", 0.0, 10.0, 0.002249),
    ],
    "siren": [
        ("text", 2.0, 4.0, 0.760000),
        ("both", 0.0, 10.0, 0.185150),
        ("faint", 0.0, 10.0, 0.060070),
        ("siren", 0.0, 10.0, 0.029301),
        ("siren", 10.0, 20.0, 0.011724),
        ("chance0", 0.0, 10.0, 0.000443),
    ],
    "heard:siren": [
        ("siren", 0.0, 10.0, 0.300769),
        ("both", 0.0, 10.0, 0.196631),
        ("siren", 10.0, 20.0, 0.104785),
        ("faint", 0.0, 10.0, 0.046409),
        ("chance0", 0.0, 10.0, 0.000415),
        ("chance10", 0.0, 10.0, 0.000401),
    ],
    "siren and train": [
        ("both", 0.0, 15.0, 0.120620),
        ("train", 0.0, 20.0, 0.039062),
        ("text", 2.0, 4.0, 0.021343),
        ("faint", 0.0, 10.0, 0.005675),
        ("siren", 0.0, 15.0, 0.002463),
        ("chance1", 0.0, 10.0, 0.000259),
    ],
    "heard:siren THEN heard:train WITHIN 10s": [
        ("both", 0.0, 15.0, 0.231703),
        ("siren", 0.0, 15.0, 0.011166),
        ("train", 0.0, 20.0, 0.001720),
        ("faint", 0.0, 20.0, 0.001719),
        ("chance11", 0.0, 10.0, 0.000055),
        ("chance1", 0.0, 10.0, 0.000054),
    ],
    "heard:siren NOT heard:train": [
        ("siren", 0.0, 10.0, 0.300645),
        ("both", 0.0, 10.0, 0.142944),
        ("siren", 10.0, 20.0, 0.104741),
        ("faint", 0.0, 10.0, 0.046382),
        ("chance0", 0.0, 10.0, 0.000415),
        ("chance10", 0.0, 10.0, 0.000401),
    ],
    "heard:siren OR 2:heard:train": [
        ("train", 0.0, 10.0, 1.000000),
        ("siren", 0.0, 10.0, 0.300769),
        ("both", 5.0, 15.0, 0.273031),
        ("train", 10.0, 15.0, 0.218221),
        ("siren", 10.0, 20.0, 0.104785),
        ("faint", 0.0, 10.0, 0.046409),
    ],
}
"""File, start, end and score of the best moments of each query."""


def search_fixed(library: Library, models: FakeModels, text: str) -> SearchResult:
    request = SearchRequest(text, k=6, locate=False)
    return search(library, models, request)  # type: ignore[arg-type]  # the fake has what a search uses


def test_moments_and_scores_are_exactly_those_recorded(library: Library, models: FakeModels) -> None:
    for text, expected in GOLDEN.items():
        moments = search_fixed(library, models, text).moments
        times = [(moment.file.path.stem, moment.start_seconds, moment.end_seconds) for moment in moments]
        assert times == [(name, start, end) for name, start, end, _ in expected], text
        assert [moment.score for moment in moments] == pytest.approx([row[3] for row in expected], abs=1e-6), text


def test_evidence_and_cues_are_exactly_those_recorded(library: Library, models: FakeModels) -> None:
    moments = search_fixed(library, models, "siren").moments
    evidence = [
        [(str(hit.space), hit.start_seconds, round(hit.score, 3), hit.rank) for hit in moment.evidence]
        for moment in moments
    ]
    assert evidence == [
        [("video", 0.0, -0.5, 34), ("audio", 0.0, -0.5, 35)],
        [("video", 0.0, 1.793, 1), ("audio", 0.0, 1.97, 2)],
        [("video", 0.0, 1.6, 2), ("audio", 0.0, 1.598, 4)],
        [("audio", 0.0, 2.1, 1)],
        [("audio", 10.0, 1.8, 3)],
        [("video", 0.0, 0.5, 3), ("audio", 0.0, 0.5, 5)],
    ]
    assert [[cue.text for cue in moment.cues] for moment in moments] == [["a siren"], [], [], [], [], []]


def test_a_grown_library_is_scored_as_if_just_opened(library: Library, models: FakeModels, tmp_path: Path) -> None:
    """The chance scores are those of the library as it is now, not as it was in an earlier search."""
    before = search_fixed(library, models, "heard:siren")
    more = [encoded(tmp_path / f"more{n}.mp4", {AUDIO: [at(n * 11, 1.5)]}, 10.0) for n in range(30)]
    with library.writer() as writer:
        writer.add(more)
    after, fresh = (search_fixed(each, models, "heard:siren") for each in (library, open_library(library.folder)))
    assert after.moments == fresh.moments
    assert after.moments[0].file == before.moments[0].file
    assert after.moments[0].score == pytest.approx(0.163058, abs=1e-6)
    assert before.moments[0].score == pytest.approx(0.300769, abs=1e-6)
