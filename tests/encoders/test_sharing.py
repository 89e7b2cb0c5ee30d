"""Towers and codecs are shared exactly if their weights are equal; running out of memory changes no vector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from pesearch.encoders.io_types import SoundChunk, WindowInput
from pesearch.encoders.lazy_imports import load_open_clip, suppress_output
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.encoders.pe_av import WindowFeatures
from pesearch.timeline import STEP_SAMPLES
from pesearch.types import CodecFeatures
from tests.encoders.checkpoints import SHARED_TINY, save_pe_core, save_shared_set

RANDOM = np.random.default_rng(8)
PICTURES = [RANDOM.integers(0, 256, (90, 120, 3), dtype=np.uint8) for _ in range(5)]
AUDIO = (RANDOM.standard_normal(30 * STEP_SAMPLES) * 0.1).astype(np.float32)


@pytest.fixture(scope="module")
def shared_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the real sets are expected to be: PE-Core has the tower of PE-AV, PE-A-Frame its codec."""
    return save_shared_set(SHARED_TINY, None, tmp_path_factory.mktemp("shared_set"))


@pytest.fixture(scope="module")
def shared(shared_set: Path) -> ModelSet:
    return open_model_set("starter", "cpu", shared_set)


@pytest.fixture(scope="module")
def separate(tiny_set: Path) -> ModelSet:
    return open_model_set("starter", "cpu", tiny_set)


def test_equal_weights_are_shared_and_different_ones_are_not(shared: ModelSet, separate: ModelSet) -> None:
    assert (shared.shares_tower(), shared.shares_codec()) == (True, True)
    assert (separate.shares_tower(), separate.shares_codec()) == (False, False)


def test_a_tower_with_one_changed_weight_is_not_shared(shared_set: Path, tmp_path: Path) -> None:
    for part in ("pe_av", "pe_a_frame"):
        (tmp_path / part).symlink_to(shared_set / part)
    core = save_pe_core(tmp_path / "pe_core") / "open_clip_model.safetensors"
    weights = load_file(shared_set / "pe_core" / "open_clip_model.safetensors")
    weights["visual.trunk.pos_embed"].view(-1)[7] += 1e-4
    save_file(weights, core)
    assert not open_model_set("starter", "cpu", tmp_path).shares_tower()


def test_a_shared_pass_equals_both_plain_towers(shared: ModelSet, shared_set: Path) -> None:
    resized = [shared.resize(picture) for picture in PICTURES]
    assert all(each.video is each.core for each in resized)
    found = shared.encode_frames(resized)
    open_clip = load_open_clip()
    with suppress_output():
        model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{shared_set / 'pe_core'}")
    with torch.inference_mode():
        pixels = torch.stack([preprocess(Image.fromarray(picture)) for picture in PICTURES])
        expected = model.eval().encode_image(pixels, normalize=True).numpy()
    assert ((np.stack([each.frame for each in found]) * expected).sum(axis=1) >= 0.9999).all()
    (plain,) = shared.embed_windows([WindowInput(PICTURES, None)])
    videos = np.stack([each.video for each in found if each.video is not None])
    (window,) = shared.encode_windows([WindowFeatures(videos, None)])
    np.testing.assert_allclose(window.video, plain.video, atol=1e-5)


def test_separate_towers_get_images_of_their_own_size(separate: ModelSet) -> None:
    resized = [separate.resize(picture) for picture in PICTURES]
    assert {(each.core.shape, each.video.shape) for each in resized if each.video is not None} == {
        ((64, 64, 3), (32, 32, 3))
    }
    found = separate.encode_frames(resized)
    np.testing.assert_allclose(np.stack([each.frame for each in found]), separate.embed_frames(PICTURES), atol=1e-6)
    assert {each.video.shape for each in found if each.video is not None} == {(24,)}


def test_a_repeated_frame_is_computed_once(shared: ModelSet, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = shared.resize(PICTURES[0]), shared.resize(PICTURES[1])
    assert shared.shares_tower()
    tower = shared._models.pe_core.tower
    seen: list[int] = []
    compute = tower._compute
    monkeypatch.setattr(tower, "_compute", lambda pixels: seen.append(len(pixels)) or compute(pixels))
    first, second, third, fourth = shared.encode_frames([one, one, other, one])
    assert sum(seen) == 2
    assert np.array_equal(first.frame, second.frame)
    assert np.array_equal(first.frame, fourth.frame)
    assert not np.array_equal(first.frame, third.frame)


def test_features_of_another_codec_are_rejected(shared: ModelSet, separate: ModelSet) -> None:
    steps = np.zeros((30, 16), dtype=np.float16)
    assert separate.shared_codec_digest() is None
    codec = shared.shared_codec_digest()
    assert codec is not None
    found = shared.event_probabilities_from(CodecFeatures(codec, steps), ["siren"])
    assert found is not None
    assert found.shape == (1, 30)
    assert shared.event_probabilities_from(CodecFeatures("another", steps), ["siren"]) is None


def out_of_memory_above(max_items: int, compute: Callable[..., Any]) -> Callable[..., Any]:
    """`compute`, but raising torch's own exception for larger batches."""

    def limited(batch: torch.Tensor) -> Any:
        if len(batch) > max_items:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.")
        return compute(batch)

    return limited


def test_running_out_of_memory_changes_no_vector(shared: ModelSet, monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = SoundChunk(AUDIO, 0, 0, 30, (), ())
    resized = [shared.resize(picture) for picture in PICTURES]
    frames, sounds = shared.encode_frames(resized), shared.encode_sound([chunk] * 5)
    assert shared.problems() == []
    tower, sound = shared._models.pe_core.tower, shared._models.pe_av.sound
    for batches in (tower.batches, sound.batches):
        monkeypatch.setattr(batches, "size", 16)
        monkeypatch.setattr(batches, "initial_size", 16)
    monkeypatch.setattr(tower, "_compute", out_of_memory_above(3, tower._compute))
    monkeypatch.setattr(sound._codec, "early", out_of_memory_above(1, sound._codec.early))
    frames_again, sounds_again = shared.encode_frames(resized), shared.encode_sound([chunk] * 5)
    np.testing.assert_allclose([each.frame for each in frames_again], [each.frame for each in frames], atol=1e-6)
    np.testing.assert_allclose([each.steps for each in sounds_again], [each.steps for each in sounds], atol=1e-4)
    assert shared.problems() == [
        "memory ran out: batches of frames were reduced from 16 to 2",
        "memory ran out: batches of audio chunks were reduced from 16 to 1",
    ]
