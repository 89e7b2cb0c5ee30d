"""Long tracks: the sounds of clips nobody trained on, at random places, as the truths say."""

import json
import wave
from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from training.scene import TRAINING_SEEDS, Heard, Scene
from training.sounds import SAMPLE_RATE
from training.tracks import (
    APART_SECONDS,
    EVENTS,
    OVERLAP_SECONDS,
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


def test_a_track_holds_the_very_sounds_of_clips_nobody_trained_on() -> None:
    scenes = enough_scenes(5, 2)
    tracks = tracks_of(scenes)
    assert min(scene.seed for scene in scenes) >= TRAINING_SEEDS
    assert tracks == tracks_of(scenes)
    assert [len(sounds_of(track.scene)) for track in tracks] == [EVENTS, EVENTS]
    assert not names([track.scene for track in tracks]) - names(scenes)
    assert {scene for track in tracks for scene in track.backgrounds} <= set(scenes)


def test_sounds_overlap_little_and_two_of_a_kind_never() -> None:
    for track in (track.scene for track in tracks_of(enough_scenes(6, 3))):
        assert all(0 <= sound.start_seconds < sound.end_seconds <= TRACK_SECONDS for sound in sounds_of(track))
        for one, other in combinations(sounds_of(track), 2):
            shared = min(one.end_seconds, other.end_seconds) - max(one.start_seconds, other.start_seconds)
            same = isinstance(one, Heard) and isinstance(other, Heard) and one.what == other.what
            assert shared <= (-APART_SECONDS if same else OVERLAP_SECONDS) + 1e-9


def test_the_command_writes_tracks_and_their_truths(tmp_path: Path) -> None:
    assert make_tracks(["--seed", "3", "--count", "1", "--out", str(tmp_path)]) == 0
    (truth,) = json.loads((tmp_path / "truths.json").read_text())["clips"]
    assert len(truth["heard"]) == EVENTS
    assert [sound["start"] for sound in truth["heard"]] == sorted(sound["start"] for sound in truth["heard"])
    with wave.open(str(tmp_path / truth["path"])) as file:
        assert file.getnframes() / file.getframerate() == TRACK_SECONDS


def test_backgrounds_follow_one_another_without_a_gap() -> None:
    (track,) = tracks_of(enough_scenes(4, 1))
    silent = replace(track, scene=replace(track.scene, heard=(), said=()))
    seconds = render_track(silent).reshape(-1, SAMPLE_RATE // 10)
    assert len(track.backgrounds) > 10
    assert len(seconds) == TRACK_SECONDS * 10
    assert np.sqrt((seconds**2).mean(axis=1))[1:-1].min() > 1e-3  # -50 dB is 3e-3
