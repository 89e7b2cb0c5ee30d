"""Questions to a library of clips, sounds and a still: a shorter answer is the beginning of a longer one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, product

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.library import Library
from pesearch.types import MEDIA_SPACES, SpaceName
from tests.search.fake_models import FakeModels
from training.words import COLOURS, OBJECTS, PHRASES, SOUNDS

MakeLibrary = Callable[..., Library]

TEXTS = [
    *(f"a {thing}" for thing in OBJECTS),
    *(f"seen:({colour} {thing})" for colour, thing in islice(product(COLOURS, OBJECTS), 0, None, 4)),
    *(f"heard:{sound}" for sound in SOUNDS),
    *(f"said:({phrase})" for phrase in PHRASES[:10]),
    *(f"heard:{sound} seen:{thing}" for sound, thing in zip(SOUNDS, OBJECTS, strict=False)),
    *(f"heard:{one} THEN heard:{other}" for one, other in zip(SOUNDS, SOUNDS[3:], strict=False)),
    *(f"{thing} NOT heard:{sound}" for thing, sound in zip(OBJECTS, SOUNDS[5:], strict=False)),
    *(f"{one} OR 2:heard:{other}" for one, other in zip(OBJECTS, SOUNDS, strict=False)),
]


def test_there_are_a_hundred_questions() -> None:
    assert len(set(TEXTS)) == len(TEXTS) >= 100


@pytest.mark.slow
@pytest.mark.parametrize("per_file", [None, 1])
def test_a_shorter_answer_is_the_beginning_of_a_longer_one(
    sample_library: Library, starter: ModelSet, per_file: int | None
) -> None:
    longest = 0
    for text in TEXTS if per_file is None else TEXTS[::5]:
        few, many = (
            search(sample_library, starter, SearchRequest(text, k=k, per_file=per_file, locate=False)).moments
            for k in (5, 50)
        )
        assert few == many[:5], text
        longest = max(longest, len(many))
    assert longest > 5


@pytest.mark.parametrize("degrees", [0, 50, 95, 200, 310])
def test_so_it_is_in_a_library_of_more_files_than_are_scored(make_library: MakeLibrary, degrees: int) -> None:
    random = np.random.default_rng(degrees)
    spaces = [each for each in MEDIA_SPACES if each is not SpaceName.FRAME]
    files = {f"{number}.mp4": {space: random.normal(size=(1, 2)).tolist() for space in spaces} for number in range(150)}
    library, angle = make_library(files), np.radians(degrees)
    models = FakeModels({"a thing": [float(np.cos(angle)), float(np.sin(angle))]})
    answers = [
        search(library, models, SearchRequest("a thing", k=k, locate=False)).moments  # type: ignore[arg-type]  # the fake has what it uses
        for k in (1, 5, 20, 50)
    ]
    assert [len(answer) for answer in answers] == [1, 5, 20, 50]
    for answer in answers:
        assert answer == answers[-1][: len(answer)]


@pytest.mark.parametrize(
    "text",
    ["heard:a", "heard:a THEN heard:b WITHIN 30s", "heard:a heard:b", "heard:a NOT heard:b", "heard:a THEN heard:b"],
)
def test_so_it_is_in_films_whose_parts_are_widened_and_merged(make_library: MakeLibrary, text: str) -> None:
    random = np.random.default_rng(2)
    films: dict[str, dict[SpaceName, list[list[float]]]] = {}
    for number in range(3):
        angles, lengths = np.radians(np.cumsum(random.normal(0, 25, size=399))), random.uniform(0.3, 2.5, size=399)
        rows = lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        films[f"{number}.wav"] = {SpaceName.AUDIO: rows.tolist()}
    library, models = make_library(films, 2000.0), FakeModels({"a": [1.0, 0.0], "b": [0.0, 1.0]})
    answers = [
        search(library, models, SearchRequest(text, k=k, locate=False)).moments  # type: ignore[arg-type]  # the fake has what it uses
        for k in (1, 5, 20, 50)
    ]
    assert answers[0]
    for answer in answers:
        assert answer == answers[-1][: len(answer)]
