"""Questions to a library of the sample media, made by the real indexer with the starter models."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import ModelMismatch, QueryError
from pesearch.evaluation.ground_truth import read_truths
from pesearch.evaluation.metrics import best_iou, iou
from pesearch.indexer.run import index
from pesearch.search.query.file_filter import FileFilter
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import CONFIDENT, SearchResult, search
from pesearch.store.library import Library, create_library

pytestmark = pytest.mark.slow

Ask = Callable[[SearchRequest], SearchResult]


@pytest.fixture(scope="module")
def ask(sample_library: Library, starter: ModelSet) -> Ask:
    return lambda request: search(sample_library, starter, request)


def names(answer: SearchResult) -> list[str]:
    return [moment.file.path.name for moment in answer.moments]


def test_siren_and_train_finds_the_clip_that_holds_both(ask: Ask, sample_media: Path) -> None:
    answer = ask(SearchRequest("siren and train"))
    best = answer.moments[0]
    assert best.file.path.name == "siren_train.mp4"
    assert answer.confident
    (truth,) = (clip for clip in read_truths(sample_media / "truths.json") if clip.path.name == "siren_train.mp4")
    for heard in truth.heard:
        located = [(event.start_seconds, event.end_seconds) for event in best.events if event.label == heard.what]
        assert best_iou((heard.start_seconds, heard.end_seconds), located) >= 0.5
    whole = (truth.heard[0].start_seconds, truth.heard[-1].end_seconds)
    assert iou(whole, (best.start_seconds, best.end_seconds)) >= 0.5


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a dog barking", "dog_bark.mp4"),
        ("a ringing bell", "bell.mp4"),
        ("drums", "drum.mp4"),
        ("birds", "birds_day.mp4"),
        ("thunder", "rain_thunder.mp4"),
        ("the sun by the sea", "silent_sun.mp4"),
    ],
)
def test_one_thing_finds_the_clip_that_holds_it(ask: Ask, text: str, name: str) -> None:
    answer = ask(SearchRequest(text))
    assert names(answer)[0] == name
    assert answer.confident


def test_a_moment_of_a_longer_file_is_where_the_sound_is(ask: Ask) -> None:
    best = ask(SearchRequest("applause")).moments[0]
    assert best.file.path.name == "six_scenes.mp4"
    assert iou((4.6, 7.4), (best.start_seconds, best.end_seconds)) >= 0.5


def test_a_sound_finds_itself_and_then_its_like(ask: Ask, sample_media: Path) -> None:
    answer = ask(SearchRequest(audio=sample_media / "siren_alone.wav"))
    assert names(answer)[0] == "siren_alone.wav"
    assert names(answer)[1] == "siren_train.mp4"
    assert answer.moments[0].score == pytest.approx(1.0, abs=1e-2)


def test_a_picture_finds_itself(ask: Ask, sample_media: Path) -> None:
    best = ask(SearchRequest(image=sample_media / "red_ball.png")).moments[0]
    assert best.file.path.name == "red_ball.png"
    assert (best.start_seconds, best.end_seconds) == (0.0, 0.0)


def test_a_video_finds_itself(ask: Ask, sample_media: Path) -> None:
    assert names(ask(SearchRequest(video=sample_media / "drum.mp4")))[0] == "drum.mp4"


@pytest.mark.parametrize(
    ("words", "name"), [("mind the gap", "speech_platform.mp4"), ("the coffee is ready", "speech_house.mp4")]
)
def test_spoken_words_find_the_clip_that_says_them(ask: Ask, words: str, name: str) -> None:
    assert names(ask(SearchRequest(words, speech=True)))[0] == name


def test_an_answer_is_ranked_and_every_moment_has_evidence(ask: Ask) -> None:
    answer = ask(SearchRequest("a train", k=5))
    assert [moment.rank for moment in answer.moments] == [1, 2, 3, 4, 5]
    scores = [moment.score for moment in answer.moments]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    for moment in answer.moments:
        assert moment.evidence
        assert all(hit.file_id == moment.file.id for hit in moment.evidence)
        assert 0 <= moment.start_seconds <= moment.end_seconds <= moment.file.info.duration_seconds + 1e-6


def test_no_two_moments_of_one_file_overlap(ask: Ask) -> None:
    moments = ask(SearchRequest("a house and a voice", k=50)).moments
    for one in moments:
        for other in moments:
            if one.rank < other.rank and one.file.id == other.file.id:
                assert one.end_seconds <= other.start_seconds or other.end_seconds <= one.start_seconds


def test_only_the_folder_and_days_asked_for_are_searched(ask: Ask, sample_media: Path) -> None:
    assert names(ask(SearchRequest("siren", files=FileFilter(under=sample_media / "bell.mp4")))) == ["bell.mp4"]
    assert ask(SearchRequest("siren", files=FileFilter(under=sample_media / "no such folder"))).moments == ()
    tomorrow = date.today() + timedelta(days=1)
    assert not ask(SearchRequest("siren", files=FileFilter(after=tomorrow))).confident
    assert names(ask(SearchRequest("siren", files=FileFilter(before=tomorrow), k=50))) == names(
        ask(SearchRequest("siren", k=50))
    )


def test_an_empty_library_has_no_answer(starter: ModelSet, tmp_path: Path) -> None:
    answer = search(create_library(tmp_path, starter.name, starter.spaces), starter, SearchRequest("siren"))
    assert answer.moments == ()
    assert not answer.confident


def test_a_library_of_other_models_is_refused(starter: ModelSet, tmp_path: Path) -> None:
    library = create_library(tmp_path, "small", starter.spaces)
    with pytest.raises(ModelMismatch):
        search(library, starter, SearchRequest("siren"))


def test_an_example_that_cannot_be_read_is_an_error(ask: Ask, sample_media: Path) -> None:
    with pytest.raises(QueryError):
        ask(SearchRequest("siren", audio=sample_media / "truths.json"))


def test_a_file_that_is_away_is_found_and_heard_from_what_the_library_keeps(
    starter: ModelSet, sample_media: Path, tmp_path: Path
) -> None:
    (tmp_path / "bell.mp4").write_bytes((sample_media / "bell.mp4").read_bytes())
    library = create_library(tmp_path / "library", starter.name, starter.spaces)
    list(index([tmp_path / "bell.mp4"], library, starter))
    (tmp_path / "bell.mp4").unlink()
    (moment,) = search(library, starter, SearchRequest("bell")).moments
    (event,) = moment.events
    assert (event.start_seconds, event.end_seconds) == pytest.approx((0.7, 3.3), abs=0.2)


def test_so_many_moments_of_a_file_as_are_asked_for(ask: Ask) -> None:
    everything = names(ask(SearchRequest("a house and a voice", k=50)))
    assert len(everything) > len(set(everything))
    assert names(ask(SearchRequest("a house and a voice", k=50, per_file=1))) == list(dict.fromkeys(everything))


def test_without_locating_no_sound_is_located(ask: Ask) -> None:
    assert ask(SearchRequest("siren", k=1)).moments[0].events
    assert not any(moment.events for moment in ask(SearchRequest("siren", locate=False)).moments)


def test_only_what_is_likely_is_a_match(ask: Ask) -> None:
    answer = ask(SearchRequest("siren", k=50))
    assert 0 < len(answer.matches) < len(answer.moments)
    assert answer.matches == answer.moments[: len(answer.matches)]
    assert all(moment.score >= CONFIDENT for moment in answer.matches)
    assert ask(SearchRequest("helicopter")).matches == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("heard:siren THEN heard:train", "siren_train.mp4"),
        ("heard:siren NOT heard:train", "siren_alone.wav"),
        ("heard:siren -seen:car", "siren_alone.wav"),
        ("heard:siren WITHIN 1s heard:train", "siren_train.mp4"),
    ],
)
def test_operators_mean_what_they_say(ask: Ask, text: str, name: str) -> None:
    assert names(ask(SearchRequest(text)))[0] == name


def test_what_comes_in_the_other_order_does_not_match(ask: Ask) -> None:
    assert "siren_train.mp4" not in names(ask(SearchRequest("heard:train THEN heard:siren", k=1)))
    assert ask(SearchRequest("heard:train THEN heard:siren")).matches == ()
