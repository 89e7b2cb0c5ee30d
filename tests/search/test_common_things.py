"""Libraries in which a tenth, half or all of the clips hold what a query names, down to a single clip.

Their vectors are those of the sample media with a little noise, so that no two clips are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.locations import Location
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import CONFIDENT, search
from pesearch.store.library import Library, create_library
from pesearch.types import EncodedFile, MediaFile, SpaceVectors

pytestmark = pytest.mark.slow

CLIPS = 20

NOISE = 0.25
"""Length of the noise, as a share of that of a vector."""

FORMAT_NOISE = 0.05
"""The same for the same clip in another codec."""

Copy = Callable[..., Library]


@pytest.fixture(scope="module")
def copy(sample_library: Library, starter: ModelSet, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A function from names of sample clips to a library of copies of them, with noise. Do not change the library."""
    files = {file.path.stem: file for file in sample_library.files()}

    @cache
    def make(names: tuple[str, ...], noise: float = NOISE) -> Library:
        random = np.random.default_rng(1)
        library = create_library(tmp_path_factory.mktemp("copies") / "library", starter.name, starter.spaces)
        with library.writer() as writer:
            writer.add([_copy(sample_library, files[name], number, random, noise) for number, name in enumerate(names)])
        return library

    return make


def _copy(library: Library, file: MediaFile, number: int, random: np.random.Generator, noise: float) -> EncodedFile:
    stored = [library.vectors(file.id, space.name) for space in library.spaces]
    vectors = []
    for each in stored:
        lengths = np.linalg.norm(each.vectors, axis=1, keepdims=True) / np.sqrt(each.vectors.shape[1])
        added = noise * lengths * random.standard_normal(each.vectors.shape)
        vectors.append(SpaceVectors(each.space, each.segments, (each.vectors + added).astype(np.float32)))
    location = Location(Path(f"/{file.path.stem}/{number}{file.path.suffix}"), 1, 1)
    return EncodedFile(location, f"{number}", file.info, tuple(each for each in vectors if len(each.vectors)))


def matches(library: Library, models: ModelSet, text: str) -> list[str]:
    found = search(library, models, SearchRequest(text, k=50, locate=False)).matches
    return [moment.file.path.parent.name for moment in found]


@pytest.mark.parametrize("clips", [CLIPS // 10, CLIPS // 2, CLIPS])
@pytest.mark.parametrize(
    ("name", "texts", "others"),
    [
        (
            "dog_bark",
            ["a dog", "heard:bark", "seen:dog"],
            ["rain_thunder", "phone_people", "bell", "drum", "silent_sun", "engine_car", "speech_house"],
        ),
        (
            "siren_train",
            ["siren and train", "a train", "seen:car"],
            ["rain_thunder", "phone_people", "bell", "drum", "silent_sun", "dog_bark", "speech_house"],
        ),
    ],
)
def test_all_clips_that_hold_a_thing_match_and_no_others(
    copy: Copy, starter: ModelSet, name: str, texts: list[str], others: list[str], clips: int
) -> None:
    filled = [others[number % len(others)] for number in range(CLIPS - clips)]
    library = copy((*[name] * clips, *filled))
    for text in texts:
        assert matches(library, starter, text) == [name] * clips, text
    if filled:
        assert set(matches(library, starter, "a bell")) == {"bell"} & set(filled)
    assert matches(library, starter, "an elephant") == []


@pytest.mark.parametrize("text", ["siren and train", "a train", "heard:siren", "seen:car", "seen:train heard:siren"])
def test_a_single_clip_matches_what_it_holds(copy: Copy, starter: ModelSet, text: str) -> None:
    (moment,) = search(copy(("siren_train",)), starter, SearchRequest(text, locate=False)).matches
    assert moment.score > 0.9


@pytest.mark.parametrize("text", ["a bell", "an elephant", "heard:drum", "a dog", "said:(good morning)", "heard:rain"])
def test_a_single_clip_does_not_match_what_it_lacks(copy: Copy, starter: ModelSet, text: str) -> None:
    moments = search(copy(("siren_train",)), starter, SearchRequest(text, locate=False)).moments
    assert all(moment.score < 0.3 < CONFIDENT for moment in moments)


@pytest.mark.parametrize("text", ["heard:siren", "siren and train", "seen:ball", "heard:drum", "an elephant"])
def test_copies_in_other_formats_change_no_score(
    copy: Copy, sample_library: Library, starter: ModelSet, text: str
) -> None:
    """Most windows of the larger library are those of two clips."""
    names = tuple(file.path.stem for file in sample_library.files())
    once, often = (
        search(copy(each, FORMAT_NOISE), starter, SearchRequest(text, k=200, locate=False)).moments
        for each in (names, (*names, *["siren_train", "six_scenes"] * 15))
    )
    best_once, best_often = (
        {moment.file.path.parent.name: moment.score for moment in each[::-1]} for each in (once, often)
    )
    assert best_often == pytest.approx({name: best_once[name] for name in best_often}, abs=0.05)
