"""Folding: which moments stay, and which are folded into them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from pesearch.cues import Cue, CueKind, FoundBy, FoundCue
from pesearch.search.query.request import SearchRequest
from pesearch.search.refine.near_duplicates import RANKED_PER_MOMENT, compared_moments, distinct_moments
from pesearch.search.retrieve.retriever import STABLE_MOMENTS
from pesearch.search.search import search
from pesearch.store.library import Library
from pesearch.types import Moment, SpaceName
from tests.search.fake_models import FakeModels

MakeLibrary = Callable[..., Library]

AUDIO, VIDEO, AUDIO_VIDEO = SpaceName.AUDIO, SpaceName.VIDEO, SpaceName.AUDIO_VIDEO

FIRST_DEPTH, LAST_DEPTH = (each * STABLE_MOMENTS for each in RANKED_PER_MOMENT)


def vector(degrees: float) -> list[float]:
    return [math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]


def found(library: Library, **options: object) -> tuple[Moment, ...]:
    models = FakeModels({"a thing": vector(0), "a word": vector(0)})
    request = SearchRequest("a thing", locate=False, **options)  # type: ignore[arg-type]  # options of the tests
    return search(library, models, request).moments  # type: ignore[arg-type]  # the fake has what it uses


def names(moments: Sequence[Moment]) -> dict[str, list[str]]:
    """The moments, each with those folded into it."""
    return {each.file.path.name: [other.path.name for other in each.near_duplicates] for each in moments}


def test_a_shorter_answer_is_the_beginning_of_a_longer_one(make_library: MakeLibrary) -> None:
    """40 things in 90 files: with all that is folded into them, they are the answer without folding."""
    random = np.random.default_rng(1)
    things = random.permutation([(a, b, c) for a in range(8) for b in range(8) for c in range(8)])[:40]
    files = {}
    for number in range(90):
        angles = 45.0 * things[number % 40] + random.normal(0, 1, 3)
        files[f"{number}.mp4"] = {
            space: [vector(at)] for space, at in zip((AUDIO, VIDEO, AUDIO_VIDEO), angles, strict=True)
        }
    library = make_library(files)
    every = found(library, k=90)
    answers = [found(library, k=k, dedupe=True) for k in (1, 7, 50)]
    for answer in answers:
        assert answer == answers[-1][: len(answer)]
    by_thing: dict[int, list[tuple[Path, float]]] = {}
    for moment in every:
        by_thing.setdefault(int(moment.file.path.stem) % 40, []).append((moment.file.path, moment.score))
    assert [moment.rank for moment in answers[-1]] == list(range(1, len(by_thing) + 1))
    assert [
        [(moment.file.path, moment.score), *((each.path, each.score) for each in moment.near_duplicates)]
        for moment in answers[-1]
    ] == list(by_thing.values())


def test_moments_are_near_equal_in_all_spaces_or_not_at_all(make_library: MakeLibrary) -> None:
    different = {f"other {n}.wav": {AUDIO: [vector(120 + 15 * n)]} for n in range(10)}
    library = make_library(
        {
            "master.mp4": {AUDIO: [vector(0)], VIDEO: [vector(0)]},
            "proxy.mp4": {AUDIO: [vector(1)], VIDEO: [vector(1)]},
            "dubbed.mp4": {AUDIO: [vector(60)], VIDEO: [vector(0)]},
            "sound.wav": {AUDIO: [vector(2)]},
            **{name: {AUDIO: of[AUDIO]} for name, of in different.items()},
        }
    )
    distinct = names(found(library, k=20, dedupe=True))
    assert distinct["master.mp4"] == ["proxy.mp4"]
    assert distinct["dubbed.mp4"] == distinct["sound.wav"] == []
    assert all(each.near_duplicates == () for each in found(library, k=20))


def test_an_ident_in_one_film_is_folded(make_library: MakeLibrary) -> None:
    """It sounds from 100 and from 600 s; other sounds differ from one another."""
    random = np.random.default_rng(1)
    of_film = [vector(0) if n in (20, 120) else vector(random.uniform(90, 270)) for n in range(199)]
    library = make_library({"film.wav": {AUDIO: of_film}}, 1000.0)
    assert sorted(moment.start_seconds for moment in found(library, k=2)) == [100.0, 600.0]
    once, *_ = found(library, k=50, dedupe=True)
    (other,) = once.near_duplicates
    assert sorted([once.start_seconds, other.start_seconds]) == [100.0, 600.0]


def test_two_moments_in_one_window_are_not_folded(make_library: MakeLibrary) -> None:
    """In a film of one window and in its copy, a word is said twice: the window's vector is that of both."""
    cues = [Cue(at, at + 1.0, "a thing", CueKind.SUBTITLE, "a.srt") for at in (1.0, 8.0)]
    films = {name: {AUDIO: [vector(0)]} for name in ("a.wav", "b.wav")}
    distinct = found(make_library(films, cues=dict.fromkeys(films, cues)), dedupe=True)
    assert [(each.file.path.name, each.start_seconds) for each in distinct] == [("a.wav", 1.0), ("a.wav", 8.0)]
    groups = [[(each.path.name, each.start_seconds) for each in moment.near_duplicates] for moment in distinct]
    assert groups == [[("b.wav", 1.0)], [("b.wav", 8.0)]]


def test_moments_of_one_slide_with_other_words_are_distinct(make_library: MakeLibrary) -> None:
    def lecture(text: str) -> list[Cue]:
        return [Cue(0.0, 10.0, text, CueKind.SUBTITLE, "a.srt")]

    texts = {"1.mp4": "a thing here", "2.mp4": "a thing  here", "3.mp4": "a thing there", "4.mp4": "nothing"}
    slide = {VIDEO: [vector(0)]}
    library = make_library(dict.fromkeys(texts, slide), cues={name: lecture(text) for name, text in texts.items()})
    distinct = names(found(library, dedupe=True))
    assert sorted(len(folded) for folded in distinct.values()) == [0, 0, 1]
    (pair,) = ({name, *folded} for name, folded in distinct.items() if folded)
    assert pair == {"1.mp4", "2.mp4"}


def test_stills_are_compared(make_library: MakeLibrary) -> None:
    still = {f"{n}.png": {SpaceName.FRAME: [vector(40 * (n // 2) + n)]} for n in range(4)}
    distinct = names(found(make_library(still), dedupe=True))
    assert [len(folded) for folded in distinct.values()] == [1, 1]
    assert {frozenset({name, *folded}) for name, folded in distinct.items()} == {
        frozenset({"0.png", "1.png"}), frozenset({"2.png", "3.png"}),
    }  # fmt: skip


def test_nothing_is_found(make_library: MakeLibrary) -> None:
    assert distinct_moments(lambda _: (), make_library({"a.wav": {AUDIO: [vector(0)]}}), {AUDIO: 1.0}, 10) == ()


@pytest.mark.parametrize(("different", "depths"), [(60, [FIRST_DEPTH]), (40, [FIRST_DEPTH, LAST_DEPTH])])
def test_more_are_ranked_only_if_too_few_are_distinct(
    make_library: MakeLibrary, different: int, depths: list[int]
) -> None:
    """1000 moments that differ in their cues; as many are ranked for a smaller k."""
    library = make_library({"a.mp4": {}}, 1e6)
    (file,) = library.files()
    cues = [(FoundCue(0.0, 1.0, str(n), CueKind.SUBTITLE, "", found_by=FoundBy.WORDS),) for n in range(different)]
    moments = [Moment(n + 1, file, 20 * n, 20 * n, 1 - n / 1000, (), (), cues[n % different]) for n in range(1000)]
    for k in (1, 50):
        ranked: list[int] = []

        def rank(count: int, ranked: list[int] = ranked) -> list[Moment]:
            ranked.append(count)
            return moments[:count]

        shown = distinct_moments(rank, library, {}, k)
        assert ranked == depths
        assert [each.score for each in shown] == [each.score for each in moments[: min(k, different)]]
        assert len(shown[0].near_duplicates) == len(moments[: depths[-1] : different]) - 1
        assert compared_moments(shown, k) == (LAST_DEPTH if len(shown) < k else None)
