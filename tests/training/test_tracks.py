"""Long tracks: sounds of clips outside the training data at random times, as in their ground truth."""

import json
import wave
from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from training import tracks
from training.scene import TRAINING_SEEDS, Heard, Scene
from training.sounds import SAMPLE_RATE
from training.tracks import (
    EVENTS,
    MAX_OVERLAP_SECONDS,
    MIN_GAP_SECONDS,
    TRACK_SECONDS,
    enough_scenes,
    render_track,
    sounds_of,
    tracks_of,
)
from training.tracks import main as make_tracks


def names(scenes: list[Scene]) -> Counter[str]:
    sounds = [sound for scene in scenes for sound in sounds_of(scene)]
    return Counter(f"{sound.variant}" if isinstance(sound, Heard) else sound.text for sound in sounds)


@pytest.fixture
def short_tracks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracks of thirty seconds with three sounds, which are as dense."""
    monkeypatch.setattr(tracks, "TRACK_SECONDS", 30.0)
    monkeypatch.setattr(tracks, "EVENTS", 3)


def test_track_has_the_sounds_of_clips_outside_the_training_data() -> None:
    scenes = enough_scenes(5, 2)
    made = tracks_of(scenes)
    assert min(scene.seed for scene in scenes) >= TRAINING_SEEDS
    assert made == tracks_of(scenes)
    assert (TRACK_SECONDS, EVENTS) == (300, 30)
    assert [len(sounds_of(track.scene)) for track in made] == [EVENTS, EVENTS]
    assert not names([track.scene for track in made]) - names(scenes)
    assert {scene for track in made for scene in track.backgrounds} <= set(scenes)
    assert len(made[0].backgrounds) > 10


def test_sounds_overlap_little_and_those_of_one_kind_never() -> None:
    for track in (track.scene for track in tracks_of(enough_scenes(6, 3))):
        assert all(0 <= sound.start_seconds < sound.end_seconds <= TRACK_SECONDS for sound in sounds_of(track))
        for one, other in combinations(sounds_of(track), 2):
            shared = min(one.end_seconds, other.end_seconds) - max(one.start_seconds, other.start_seconds)
            same = isinstance(one, Heard) and isinstance(other, Heard) and one.what == other.what
            assert shared <= (-MIN_GAP_SECONDS if same else MAX_OVERLAP_SECONDS) + 1e-9


@pytest.mark.usefixtures("short_tracks")
def test_command_writes_tracks_and_ground_truth(tmp_path: Path) -> None:
    assert make_tracks(["--seed", "3", "--count", "1", "--out", str(tmp_path)]) == 0
    (truth,) = json.loads((tmp_path / "truths.json").read_text())["clips"]
    assert len(truth["heard"]) == 3
    assert [sound["start"] for sound in truth["heard"]] == sorted(sound["start"] for sound in truth["heard"])
    with wave.open(str(tmp_path / truth["path"])) as file:
        assert file.getnframes() / file.getframerate() == 30


@pytest.mark.usefixtures("short_tracks")
def test_backgrounds_follow_one_another_without_a_gap() -> None:
    (track,) = tracks_of(enough_scenes(4, 1))
    silent = replace(track, scene=replace(track.scene, heard=(), said=()))
    tenths = render_track(silent).reshape(-1, SAMPLE_RATE // 10)
    assert len(track.backgrounds) > 1
    assert len(tenths) == 30 * 10
    assert np.sqrt((tenths**2).mean(axis=1))[1:-1].min() > 1e-3  # -50 dB is 3e-3
