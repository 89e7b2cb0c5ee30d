"""Events from probabilities, and sound detection in pieces, from stored features or from the file itself."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.audio_track import AudioTrack
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import MediaError, QueryError
from pesearch.evaluation.ground_truth import read_truths
from pesearch.evaluation.metrics import iou
from pesearch.media.audio import AudioReader, read_audio
from pesearch.media.probe import probe
from pesearch.search.events import locate
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
def test_pieces_give_the_same_events(probabilities: FloatArray, cuts: list[int]) -> None:
    finder, found = EventFinder(["siren", "rain"], 3.0, 6.5, 0.3), list[Event]()
    for piece in np.split(probabilities, sorted(cuts), axis=1):
        found += finder.push(piece)
    pieces = sort_events([*found, *finder.finish()])
    whole = find_events(probabilities, ["siren", "rain"], 3.0, 6.5)
    assert [(each.label, each.start_seconds, each.end_seconds) for each in pieces] == [
        (each.label, each.start_seconds, each.end_seconds) for each in whole
    ]
    assert [each.score for each in pieces] == pytest.approx([each.score for each in whole], abs=1e-9)


def test_events_have_file_times_and_are_sorted() -> None:
    probabilities = np.zeros((2, 250), dtype=np.float32)
    probabilities[0, 100:150] = 0.8
    probabilities[1, 25:75] = 0.6
    first, second = find_events(probabilities, ["siren", "train"], 20.0, 30.0)
    assert (first.label, second.label) == ("train", "siren")
    assert (first.start_seconds, first.end_seconds, first.score) == pytest.approx((21.0, 23.0, 0.6))
    assert (second.start_seconds, second.end_seconds, second.score) == pytest.approx((24.0, 26.0, 0.8))


def test_events_end_at_the_end_of_the_file() -> None:
    (event,) = find_events(np.ones((1, 100), dtype=np.float32), ["rain"], 0.0, 3.99)
    assert event.end_seconds == 3.99


def test_a_higher_threshold_finds_fewer_events() -> None:
    probabilities = np.full((1, 50), 0.5, dtype=np.float32)
    assert len(find_events(probabilities, ["rain"], 0.0, 2.0, threshold=0.3)) == 1
    assert find_events(probabilities, ["rain"], 0.0, 2.0, threshold=0.6) == ()


@pytest.mark.parametrize("phrases", [[], ["siren", " "]])
def test_phrases_must_not_be_empty(phrases: list[str], sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(QueryError, match="name at least one sound"):
        locate_events(sample_media / "bell.mp4", phrases, starter)


def test_phrases_must_be_valid_utf8(sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(QueryError, match="invalid UTF-8 at character 2"):
        locate_events(sample_media / "bell.mp4", ["siren", "a\udcff"], starter)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.5, float("nan"), 1e-320, 1 - 1e-16])
def test_a_threshold_must_be_between_0_and_1(threshold: float, sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(QueryError, match="threshold"):
        locate_events(sample_media / "bell.mp4", ["bell"], starter, threshold)


@pytest.mark.parametrize("name", ["silent_sun.mp4", "truths.json", "no_such_file.mp4"])
def test_a_file_without_sound_is_an_error(name: str, sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(MediaError):
        locate_events(sample_media / name, ["bell"], starter)


@pytest.mark.slow
def test_consecutive_sounds_are_located(sample_media: Path, starter: ModelSet) -> None:
    path = sample_media / "siren_train.mp4"
    (truth,) = (clip for clip in read_truths(sample_media / "truths.json") if clip.path == path)
    events = locate_events(path, ["siren", "train"], starter)
    for sound in truth.heard:
        fits = [
            iou((sound.start_seconds, sound.end_seconds), (event.start_seconds, event.end_seconds))
            for event in events
            if event.label == sound.what
        ]
        assert max(fits, default=0.0) >= 0.5


@pytest.mark.slow
def test_an_absent_sound_is_not_located(sample_media: Path, starter: ModelSet) -> None:
    assert not [event for event in locate_events(sample_media / "bell.mp4", ["drum"], starter) if event.score > 0.6]


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """22.3 s of sound: several windows, two chunks of the codec, and an incomplete step at the end."""
    path = tmp_path_factory.mktemp("long") / "long.wav"
    write_audio(path, sample_scene(1_500_000, duration_seconds=22.3))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["siren_train.mp4", "bell.mp4"])
def test_a_short_sound_is_detected_as_in_one_pass(name: str, starter: ModelSet, sample_media: Path) -> None:
    path, phrases = sample_media / name, ["siren", "train"]
    duration = probe(path).duration_seconds
    assert duration <= 10.0
    one_pass = starter.event_probabilities(read_audio(path, 0.0, duration), phrases)
    np.testing.assert_allclose(detect(path, 0.0, duration, phrases, starter), one_pass, atol=1e-5)


@pytest.mark.slow
def test_a_part_of_a_file_is_detected_as_in_its_whole(long_file: Path, starter: ModelSet) -> None:
    """The codec sees context beyond the ends of the part, as it did for features stored in a library."""
    with AudioReader(long_file) as reader:
        sound = DecodedSound(reader, starter, 0, 2000)
        assert sound.steps == 558
        features = sound.read(0, 558)
        part = DecodedSound(reader, starter, 490, 558).read(0, 68)
        np.testing.assert_allclose(part, features[490:], atol=1e-4)
    expected = list(
        starter.iter_event_probabilities(lambda first, stop: features[350 + first : 350 + stop], 200, ["bell"])
    )
    detected = detect(long_file, 14.0, 22.0, ["bell"], starter)
    np.testing.assert_allclose(detected, np.concatenate(expected, axis=1), atol=1e-4)


@pytest.mark.slow
def test_stored_features_give_the_probabilities_of_the_file(
    sample_library: Library, sample_media: Path, starter: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sample_media / "siren_train.mp4"
    stored = find_stored_sound(path, sample_library)
    assert stored is not None
    for start, end in ((0.0, 6.0), (2.0, 5.2)):
        from_file = detect(path, start, end, ["siren", "train"], starter)
        with monkeypatch.context() as context:
            context.setattr("pesearch.media.audio.AudioReader", None)  # not used
            from_library = detect(path, start, end, ["siren", "train"], starter, stored)
        np.testing.assert_allclose(from_library, from_file, atol=0.02)


@pytest.mark.slow
def test_progress_is_reported_and_events_are_those_of_all_pieces(
    long_file: Path, starter: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[tuple[float, float]] = []
    pieces: list[FloatArray] = []

    def recorded(*arguments: Any) -> Generator[FloatArray]:
        for piece in detect_in_pieces(*arguments):
            pieces.append(piece)
            yield piece

    monkeypatch.setattr(locate, "detect_in_pieces", recorded)
    events = locate_events(long_file, ["rain"], starter, on_progress=lambda at, of: reported.append((at, of)))
    assert len(pieces) == len(reported) > 2
    assert [reached for reached, _ in reported] == sorted({reached for reached, _ in reported})
    assert reported[-1] == pytest.approx((22.3, 22.3))
    probabilities = np.concatenate(pieces, axis=1)
    assert probabilities.shape == (1, 558)
    assert events == find_events(probabilities, ["rain"], 0.0, reported[-1][1])


@pytest.mark.slow
def test_an_interrupt_closes_the_decoder(long_file: Path, starter: ModelSet, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[AudioReader] = []

    def interrupt(reached_seconds: float, duration_seconds: float) -> None:
        raise KeyboardInterrupt

    class Watched(AudioReader):
        def __init__(self, path: Path, track: AudioTrack | None = None) -> None:
            super().__init__(path, track)
            opened.append(self)

    monkeypatch.setattr("pesearch.media.audio.AudioReader", Watched)
    with pytest.raises(KeyboardInterrupt):
        locate_events(long_file, ["rain"], starter, on_progress=interrupt)
    (reader,) = opened
    assert reader._decoder is None
