"""The rendered pool: sounds and frames of its scenes, rendered only once."""

from pathlib import Path

import numpy as np
import pytest

from pesearch.errors import PesearchError
from training.clips import AUDIBLE, Clips, active_frames, sample_windows
from training.pool import FRAME_TIMES, open_pool, render_pool, small_frame, through_aac
from training.scene import TRAINING_SEEDS
from training.sounds import render_audio
from training.words import PHRASES


def test_pool_has_its_scenes_and_is_rendered_once(tmp_path: Path) -> None:
    pool = render_pool(tmp_path, 2, first_seed=40, processes=1)
    assert list(pool.rows()) == [0, 1]
    frame = small_frame(pool.scene(1), FRAME_TIMES[3])
    assert np.array_equal(pool.frames[1, 3], frame)
    clean = render_audio(pool.scene(0)) * 32767
    assert np.corrcoef(clean, pool.audio[0])[0, 1] > 0.98  # the first block has been through AAC
    pool.audio[0] = 7
    render_pool(tmp_path, 2, first_seed=40, processes=1)
    assert (open_pool(tmp_path, 40).audio[0] == 7).all()


def test_last_scenes_speak_every_phrase_in_turn(tmp_path: Path) -> None:
    pool = render_pool(tmp_path, 4, processes=1)
    assert [said.text for said in pool.scene(3).said] == [PHRASES[3]]


def test_seeds_for_evaluation_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PesearchError, match="seeds below"):
        render_pool(tmp_path, 2, first_seed=TRAINING_SEEDS - 1)


def test_aac_keeps_length_and_time() -> None:
    time = np.arange(96_000) / 48_000
    sound = (8_000 * np.sin(2 * np.pi * 440 * time) * (time > 1)).astype(np.int16)
    worn = through_aac(sound)
    assert worn.shape == sound.shape
    assert np.corrcoef(worn, sound)[0, 1] > 0.99


def test_active_frames_match_the_ground_truth(tmp_path: Path) -> None:
    scene = render_pool(tmp_path, 1, processes=1).scene(0)
    active = active_frames(scene)
    assert active.shape == (100, len(AUDIBLE))
    for said in scene.said:
        column = active[:, AUDIBLE.index(f"said:{said.text}")]
        assert abs(column.sum() * 0.04 - (said.end_seconds - said.start_seconds)) < 0.05
        assert not column[: int(said.start_seconds * 25) - 1].any()


def test_background_windows_have_no_sound_and_keep_their_pictures() -> None:
    rng = np.random.default_rng(0)
    codec, background = np.ones((3, 100, 80), np.float16), np.full((2, 100, 80), 2, np.float16)
    active, vision = np.ones((3, 100, len(AUDIBLE)), bool), np.ones((3, 7, 128), np.float16)
    clips = Clips(codec, background, vision, active, (frozenset({"seen:dog"}),) * 3)
    for share, level in ((0.0, 1.0), (1.0, 2.0)):
        windows = sample_windows(clips, rng, 8, noise=0.0, quiet_share=share)
        assert (windows.codec == level).all()
        assert (windows.active == (share == 0.0)).all()
        assert windows.audible == ((frozenset(AUDIBLE) if share == 0.0 else frozenset()),) * len(windows.codec)
        assert set(windows.visible) == {frozenset({"seen:dog"})}
