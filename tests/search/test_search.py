"""Searches of a library of the sample media, made by the real indexer with the starter models."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
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

Search = Callable[[SearchRequest], SearchResult]


@pytest.fixture(scope="module")
def run(sample_library: Library, starter: ModelSet) -> Search:
    return lambda request: search(sample_library, starter, request)


def names(result: SearchResult) -> list[str]:
    return [moment.file.path.name for moment in result.moments]


def test_siren_and_train_finds_the_clip_that_holds_both(run: Search, sample_media: Path) -> None:
    result = run(SearchRequest("siren and train"))
    best = result.moments[0]
    assert best.file.path.name == "siren_train.mp4"
    assert result.confident
    (truth,) = (clip for clip in read_truths(sample_media / "truths.json") if clip.path.name == "siren_train.mp4")
    for sound in truth.heard:
        located = [(event.start_seconds, event.end_seconds) for event in best.events if event.label == sound.what]
        assert best_iou((sound.start_seconds, sound.end_seconds), located) >= 0.5
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
def test_a_text_finds_the_clip_of_one_thing(run: Search, text: str, name: str) -> None:
    result = run(SearchRequest(text))
    assert names(result)[0] == name
    assert result.confident


def test_a_moment_in_a_longer_file_has_the_times_of_the_sound(run: Search) -> None:
    best = run(SearchRequest("applause")).moments[0]
    assert best.file.path.name == "six_scenes.mp4"
    assert iou((4.6, 7.4), (best.start_seconds, best.end_seconds)) >= 0.5


def test_a_sound_finds_itself_and_then_similar_ones(run: Search, sample_media: Path) -> None:
    """Sirens are on cars in the generated world: the other clip of one shows it without its sound."""
    result = run(SearchRequest(audio=sample_media / "siren_alone.wav"))
    assert names(result)[0] == "siren_alone.wav"
    assert names(result)[1:3] == ["siren_train.mp4", "engine_car.mp4"]
    assert result.moments[2].score > 0.6 > 0.3 > result.moments[3].score
    assert result.moments[0].score == pytest.approx(1.0, abs=1e-2)


def test_an_image_finds_itself(run: Search, sample_media: Path) -> None:
    best = run(SearchRequest(image=sample_media / "red_ball.png")).moments[0]
    assert best.file.path.name == "red_ball.png"
    assert (best.start_seconds, best.end_seconds) == (0.0, 0.0)


def test_a_video_finds_itself(run: Search, sample_media: Path) -> None:
    assert names(run(SearchRequest(video=sample_media / "drum.mp4")))[0] == "drum.mp4"


@pytest.mark.parametrize(
    ("words", "name"), [("mind the gap", "speech_platform.mp4"), ("the coffee is ready", "speech_house.mp4")]
)
def test_spoken_words_find_the_clip_that_says_them(run: Search, words: str, name: str) -> None:
    assert names(run(SearchRequest(words, speech=True)))[0] == name


def test_moments_are_ranked_and_have_evidence(run: Search) -> None:
    result = run(SearchRequest("a train", k=5))
    assert [moment.rank for moment in result.moments] == [1, 2, 3, 4, 5]
    scores = [moment.score for moment in result.moments]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    for moment in result.moments:
        assert moment.evidence
        assert all(hit.file_id == moment.file.id for hit in moment.evidence)
        assert 0 <= moment.start_seconds <= moment.end_seconds <= moment.file.info.duration_seconds + 1e-6


def test_no_two_moments_of_one_file_overlap(run: Search) -> None:
    moments = run(SearchRequest("a house and a voice", k=50)).moments
    assert len({moment.file.id for moment in moments}) < len(moments)
    for one in moments:
        for other in moments:
            if one.rank < other.rank and one.file.id == other.file.id:
                assert one.end_seconds <= other.start_seconds or other.end_seconds <= one.start_seconds


def test_folder_and_date_filters(run: Search, sample_media: Path) -> None:
    assert names(run(SearchRequest("siren", files=FileFilter(under=(sample_media / "bell.mp4",))))) == ["bell.mp4"]
    with pytest.raises(QueryError, match=r"nothing at .*no such folder, neither on this machine nor in the library"):
        run(SearchRequest("siren", files=FileFilter(under=(sample_media / "no such folder",))))
    assert run(SearchRequest("siren", files=FileFilter(under=(Path(__file__).parent,)))).moments == ()
    bell, typo = sample_media / "bell.mp4", sample_media / "no such file"
    several = FileFilter(under=(sample_media / "siren_train.mp4", bell))
    assert set(names(run(SearchRequest("siren", files=several)))) == {"siren_train.mp4", "bell.mp4"}
    with pytest.raises(QueryError, match=r"nothing at .*no such file"):
        run(SearchRequest("siren", files=FileFilter(under=(bell, typo))))
    tomorrow = datetime.now() + timedelta(days=1)
    assert not run(SearchRequest("siren", files=FileFilter(after=tomorrow))).confident
    assert names(run(SearchRequest("siren", files=FileFilter(before=tomorrow), k=50))) == names(
        run(SearchRequest("siren", k=50))
    )


def test_an_empty_library_has_no_moments(starter: ModelSet, tmp_path: Path) -> None:
    result = search(create_library(tmp_path, starter.name, starter.spaces), starter, SearchRequest("siren"))
    assert result.moments == ()
    assert not result.confident


def test_a_library_of_other_models_is_refused(starter: ModelSet, tmp_path: Path) -> None:
    library = create_library(tmp_path, "small", starter.spaces)
    with pytest.raises(ModelMismatch):
        search(library, starter, SearchRequest("siren"))


def test_an_unreadable_example_is_an_error(run: Search, sample_media: Path) -> None:
    with pytest.raises(QueryError):
        run(SearchRequest("siren", audio=sample_media / "truths.json"))


def test_an_offline_file_is_found_and_its_sounds_are_located(
    starter: ModelSet, sample_media: Path, tmp_path: Path
) -> None:
    (tmp_path / "bell.mp4").write_bytes((sample_media / "bell.mp4").read_bytes())
    library = create_library(tmp_path / "library", starter.name, starter.spaces)
    list(index([tmp_path / "bell.mp4"], library, starter))
    (tmp_path / "bell.mp4").unlink()
    (moment,) = search(library, starter, SearchRequest("bell")).moments
    (event,) = moment.events
    assert (event.start_seconds, event.end_seconds) == pytest.approx((0.7, 3.3), abs=0.2)


def test_per_file_limits_moments_of_each_file(run: Search) -> None:
    everything = names(run(SearchRequest("a house and a voice", k=50)))
    assert len(everything) > len(set(everything))
    assert names(run(SearchRequest("a house and a voice", k=50, per_file=1))) == list(dict.fromkeys(everything))


def test_without_locate_there_are_no_events(run: Search) -> None:
    assert run(SearchRequest("siren", k=1)).moments[0].events
    assert not any(moment.events for moment in run(SearchRequest("siren", locate=False)).moments)


def test_matches_are_the_moments_from_the_confidence_threshold_on(run: Search) -> None:
    result = run(SearchRequest("siren", k=50))
    assert 0 < len(result.matches) < len(result.moments)
    assert result.matches == result.moments[: len(result.matches)]
    assert all(moment.score >= CONFIDENT for moment in result.matches)
    assert run(SearchRequest("helicopter")).matches == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("heard:siren THEN heard:train", "siren_train.mp4"),
        ("heard:siren NOT heard:train", "siren_alone.wav"),
        ("heard:siren -seen:car", "siren_alone.wav"),
        ("heard:siren WITHIN 1s heard:train", "siren_train.mp4"),
    ],
)
def test_operators(run: Search, text: str, name: str) -> None:
    assert names(run(SearchRequest(text)))[0] == name


def test_then_does_not_match_the_reverse_order(run: Search) -> None:
    assert "siren_train.mp4" not in names(run(SearchRequest("heard:train THEN heard:siren", k=1)))
    assert run(SearchRequest("heard:train THEN heard:siren")).matches == ()
