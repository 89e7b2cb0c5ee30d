"""The vectors in a library equal those of plain calls, window by window: across chunks, at starts and ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pesearch.encoders.io_types import WindowInput
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.indexer.run import index
from pesearch.media.audio import AudioReader
from pesearch.media.video import FrameReader
from pesearch.store.library import Library, create_library
from pesearch.timeline import grid, windows
from pesearch.types import MediaFile, SpaceName
from tests.media.samples import ffmpeg

CODECS = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "flac"]
LENGTHS = (10.01, 13.97, 31.303)
"""Seconds, multiples of nothing: one step more than a window, one chunk with a ragged end, two chunks."""


@pytest.fixture(scope="module", params=["tiny", "starter"])
def encoders(request: pytest.FixtureRequest, models: ModelSet) -> ModelSet:
    return models if request.param == "tiny" else open_model_set("starter", "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("equality")
    for number, seconds in enumerate(LENGTHS):
        pictures = f"testsrc2=s=160x90:r=5:d={seconds},hue=H={number + 1}*t"
        sound = f"anoisesrc=r=44100:seed={number}:d={seconds},tremolo=f=0.3:d=0.9"
        media = ("-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound)
        ffmpeg(*media, *CODECS, folder / f"{number}.mkv")
    return folder


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory, folder: Path, encoders: ModelSet) -> Library:
    library = create_library(tmp_path_factory.mktemp("equality") / "library", encoders.name, encoders.spaces)
    list(index([folder], library, encoders))
    return library


def plain_windows(file: MediaFile, encoders: ModelSet) -> dict[SpaceName, list[np.ndarray]]:
    """The vectors of each window cut out of the file and embedded alone, by space."""
    found: dict[SpaceName, list[np.ndarray]] = {SpaceName.VIDEO: [], SpaceName.AUDIO: [], SpaceName.AUDIO_VIDEO: []}
    with FrameReader(file.path) as frames, AudioReader(file.path) as sound:
        for start, end in windows(file.info.duration_seconds).tolist():
            images = [frame.image for frame in frames.read(grid(start, end))]
            (vectors,) = encoders.embed_windows([WindowInput(images, sound.read(start, end))])
            for space in found:
                vector = getattr(vectors, space.value)
                assert vector is not None
                found[space].append(vector)
    return found


@pytest.mark.slow
def test_windows_and_frames_are_those_of_plain_calls(indexed: Library, encoders: ModelSet) -> None:
    assert len(indexed.files()) == len(LENGTHS)
    for file in indexed.files():
        for space, expected in plain_windows(file, encoders).items():
            stored = indexed.vectors(file.id, space)
            assert stored.segments.tolist() == windows(file.info.duration_seconds).tolist()
            assert cosines(stored.vectors, np.stack(expected)).min() >= 0.9999, (file.path.name, space)
        with FrameReader(file.path) as reader:
            images = [frame.image for frame in reader.read(grid(0, file.info.duration_seconds))]
        stored = indexed.vectors(file.id, SpaceName.FRAME)
        assert cosines(stored.vectors, encoders.embed_frames(images)).min() >= 0.9999


@pytest.mark.slow
def test_stored_features_give_the_events_of_the_audio(indexed: Library, encoders: ModelSet) -> None:
    phrases = ["siren", "train", "rain"]
    for file in indexed.files():
        features = indexed.features(file.id)
        if not encoders.shares_codec():
            assert features is None
            continue
        assert features is not None
        from_store = encoders.event_probabilities_from(features, phrases)
        with AudioReader(file.path) as sound:
            heard = encoders.event_probabilities(sound.read(0, file.info.duration_seconds), phrases)
        assert from_store is not None
        assert from_store.shape == heard.shape
        assert np.abs(from_store - heard).max() < 0.02


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    result: np.ndarray = (one * other).sum(axis=1) / lengths
    return result
