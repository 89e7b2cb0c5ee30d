"""Events from probabilities, and a file heard piece by piece, from what a library keeps or from the file itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import MediaError, QueryError
from pesearch.evaluation.ground_truth import read_truths
from pesearch.evaluation.metrics import iou
from pesearch.media.audio import AudioReader, read_audio
from pesearch.media.probe import probe
from pesearch.search.events.codec_features import DecodedSound
from pesearch.search.events.locate import (
    EventFinder,
    detect,
    detect_in_pieces,
    find_events,
    find_stored_sound,
    locate_events,
    sort_events,
)
from pesearch.store.library import Library
from pesearch.types import Event, FloatArray
from training.render import write_audio
from training.scene import sample_scene


@given(arrays(np.float32, (2, 90), elements=st.floats(0, 1, width=32)), st.lists(st.integers(0, 90)))
def test_events_of_pieces_are_those_of_the_whole(probabilities: FloatArray, cuts: list[int]) -> None:
    finder, found = EventFinder(["siren", "rain"], 3.0, 6.5, 0.3), list[Event]()
    for piece in np.split(probabilities, sorted(cuts), axis=1):
        found += finder.push(piece)
    pieces = sort_events([*found, *finder.finish()])
    whole = find_events(probabilities, ["siren", "rain"], 3.0, 6.5)
    assert [(each.label, each.start_seconds, each.end_seconds) for each in pieces] == [
        (each.label, each.start_seconds, each.end_seconds) for each in whole
    ]
    assert [each.score for each in pieces] == pytest.approx([each.score for each in whole], abs=1e-9)


def test_events_are_in_file_time_and_in_order() -> None:
    probabilities = np.zeros((2, 250), dtype=np.float32)
    probabilities[0, 100:150] = 0.8
    probabilities[1, 25:75] = 0.6
    first, second = find_events(probabilities, ["siren", "train"], 20.0, 30.0)
    assert (first.label, second.label) == ("train", "siren")
    assert (first.start_seconds, first.end_seconds, first.score) == pytest.approx((21.0, 23.0, 0.6))
    assert (second.start_seconds, second.end_seconds, second.score) == pytest.approx((24.0, 26.0, 0.8))


def test_no_event_goes_on_after_the_file_has_ended() -> None:
    (event,) = find_events(np.ones((1, 100), dtype=np.float32), ["rain"], 0.0, 3.99)
    assert event.end_seconds == 3.99


def test_a_higher_threshold_finds_less() -> None:
    probabilities = np.full((1, 50), 0.5, dtype=np.float32)
    assert len(find_events(probabilities, ["rain"], 0.0, 2.0, threshold=0.3)) == 1
    assert find_events(probabilities, ["rain"], 0.0, 2.0, threshold=0.6) == ()


@pytest.mark.parametrize("phrases", [[], ["siren", " "]])
def test_something_must_be_named(phrases: list[str], sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(QueryError, match="name at least one sound"):
        locate_events(sample_media / "bell.mp4", phrases, starter)


def test_bytes_that_are_no_text(sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(QueryError, match="invalid UTF-8 at character 2"):
        locate_events(sample_media / "bell.mp4", ["siren", "a\udcff"], starter)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.5, float("nan")])
def test_a_threshold_is_a_probability(threshold: float, sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(QueryError, match="threshold"):
        locate_events(sample_media / "bell.mp4", ["bell"], starter, threshold)


@pytest.mark.parametrize("name", ["silent_sun.mp4", "truths.json", "no_such_file.mp4"])
def test_a_file_without_sound_is_an_error(name: str, sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(MediaError):
        locate_events(sample_media / name, ["bell"], starter)


@pytest.mark.slow
def test_sounds_one_after_the_other_are_located(sample_media: Path, starter: ModelSet) -> None:
    path = sample_media / "siren_train.mp4"
    (truth,) = (clip for clip in read_truths(sample_media / "truths.json") if clip.path == path)
    events = locate_events(path, ["siren", "train"], starter)
    for heard in truth.heard:
        fits = [
            iou((heard.start_seconds, heard.end_seconds), (event.start_seconds, event.end_seconds))
            for event in events
            if event.label == heard.what
        ]
        assert max(fits, default=0.0) >= 0.5


@pytest.mark.slow
def test_a_sound_that_is_not_there_is_not_located(sample_media: Path, starter: ModelSet) -> None:
    assert not [event for event in locate_events(sample_media / "bell.mp4", ["drum"], starter) if event.score > 0.6]


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """33.3 s of sound: several windows, several chunks of the codec, and a step that is not full."""
    path = tmp_path_factory.mktemp("long") / "long.wav"
    write_audio(path, sample_scene(1_500_000, duration_seconds=33.3))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["siren_train.mp4", "bell.mp4"])
def test_short_sound_is_heard_as_in_one_pass(name: str, starter: ModelSet, sample_media: Path) -> None:
    phrases, duration = ["siren", "train"], probe(sample_media / name).duration_seconds
    assert duration <= 10.0
    one_pass = starter.event_probabilities(read_audio(sample_media / name, 0.0, duration), phrases)
    np.testing.assert_allclose(detect(sample_media / name, 0.0, duration, phrases, starter), one_pass, atol=1e-5)


@pytest.mark.slow
def test_a_stretch_is_heard_as_part_of_its_file(long_file: Path, starter: ModelSet) -> None:
    """The codec hears beyond the ends of a stretch, so that it is as if it were taken from a library."""
    whole = list(detect_in_pieces(long_file, 0.0, 33.3, ["bell", "rain"], starter))
    assert sum(piece.shape[1] for piece in whole) == 833
    assert len(whole) > 2
    with AudioReader(long_file) as reader:
        sound = DecodedSound(reader, starter, 0, 2000)
        assert sound.steps == 833
        features = sound.read(0, 833)
        part = DecodedSound(reader, starter, 490, 833).read(0, 343)
        np.testing.assert_allclose(part, features[490:], atol=1e-4)
    expected = list(
        starter.event_probabilities_along(lambda first, stop: features[500 + first : 500 + stop], 250, ["bell"])
    )
    heard = detect(long_file, 20.0, 30.0, ["bell"], starter)
    np.testing.assert_allclose(heard, np.concatenate(expected, axis=1), atol=1e-4)


@pytest.mark.slow
def test_what_a_library_keeps_is_heard_as_the_file_is(
    sample_library: Library, sample_media: Path, starter: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sample_media / "siren_train.mp4"
    stored = find_stored_sound(path, sample_library)
    assert stored is not None
    for start, end in ((0.0, 6.0), (2.0, 5.2)):
        from_file = detect(path, start, end, ["siren", "train"], starter)
        with monkeypatch.context() as context:
            context.setattr("pesearch.search.events.locate.AudioReader", None)  # is not needed
            from_library = detect(path, start, end, ["siren", "train"], starter, stored)
        np.testing.assert_allclose(from_library, from_file, atol=0.02)


@pytest.mark.slow
def test_it_is_told_how_far_a_file_has_been_heard(long_file: Path, starter: ModelSet) -> None:
    told: list[tuple[float, float]] = []
    events = locate_events(long_file, ["rain"], starter, on_progress=lambda at, of: told.append((at, of)))
    assert [reached for reached, _ in told] == sorted({reached for reached, _ in told})
    assert told[-1] == pytest.approx((33.3, 33.3))
    duration = told[-1][1]
    assert events == find_events(detect(long_file, 0.0, duration, ["rain"], starter), ["rain"], 0.0, duration)


@pytest.mark.slow
def test_an_interrupt_leaves_no_decoder_behind(
    long_file: Path, starter: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[AudioReader] = []

    def interrupt(reached_seconds: float, duration_seconds: float) -> None:
        raise KeyboardInterrupt

    class Watched(AudioReader):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            opened.append(self)

    monkeypatch.setattr("pesearch.search.events.locate.AudioReader", Watched)
    with pytest.raises(KeyboardInterrupt):
        locate_events(long_file, ["rain"], starter, on_progress=interrupt)
    (reader,) = opened
    assert reader._process is None
