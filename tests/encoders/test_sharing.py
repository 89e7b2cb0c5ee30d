"""One tower and one codec serve two models exactly where their weights are equal, and memory that runs out costs time
and no vectors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from pesearch.encoders.chunked_codec import SoundChunk
from pesearch.encoders.io_types import WindowInput
from pesearch.encoders.lazy_imports import load_open_clip, silent
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


@pytest.fixture
def shared(shared_set: Path) -> ModelSet:
    return open_model_set("starter", "cpu", shared_set)


@pytest.fixture
def separate(tiny_set: Path) -> ModelSet:
    return open_model_set("starter", "cpu", tiny_set)


def test_equal_weights_are_found_and_different_ones_too(shared: ModelSet, separate: ModelSet) -> None:
    assert (shared.shares_tower(), shared.shares_codec()) == (True, True)
    assert (separate.shares_tower(), separate.shares_codec()) == (False, False)


def test_one_changed_number_is_another_tower(shared_set: Path, tmp_path: Path) -> None:
    for part in ("pe_av", "pe_a_frame"):
        (tmp_path / part).symlink_to(shared_set / part)
    core = save_pe_core(tmp_path / "pe_core") / "open_clip_model.safetensors"
    weights = load_file(shared_set / "pe_core" / "open_clip_model.safetensors")
    weights["visual.trunk.pos_embed"].view(-1)[7] += 1e-4
    save_file(weights, core)
    assert not open_model_set("starter", "cpu", tmp_path).shares_tower()


def test_one_pass_gives_what_both_plain_towers_give(shared: ModelSet, shared_set: Path) -> None:
    squares = [shared.resize(picture) for picture in PICTURES]
    assert all(each.video is each.core for each in squares)
    found = shared.encode_frames(squares)
    open_clip = load_open_clip()
    with silent():
        model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{shared_set / 'pe_core'}")
    with torch.inference_mode():
        pixels = torch.stack([preprocess(Image.fromarray(picture)) for picture in PICTURES])
        expected = model.eval().encode_image(pixels, normalize=True).numpy()
    assert ((np.stack([each.frame for each in found]) * expected).sum(axis=1) >= 0.9999).all()
    (plain,) = shared.embed_windows([WindowInput(PICTURES, None)])
    videos = np.stack([each.video for each in found if each.video is not None])
    (window,) = shared.encode_windows([WindowFeatures(videos, None)])
    np.testing.assert_allclose(window.video, plain.video, atol=1e-5)


def test_separate_towers_each_see_their_own_square(separate: ModelSet) -> None:
    squares = [separate.resize(picture) for picture in PICTURES]
    assert {(each.core.shape, each.video.shape) for each in squares if each.video is not None} == {
        ((64, 64, 3), (32, 32, 3))
    }
    found = separate.encode_frames(squares)
    np.testing.assert_allclose(np.stack([each.frame for each in found]), separate.embed_frames(PICTURES), atol=1e-6)
    assert {each.video.shape for each in found if each.video is not None} == {(24,)}


def test_a_picture_that_stays_is_computed_once(shared: ModelSet, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = shared.resize(PICTURES[0]), shared.resize(PICTURES[1])
    assert shared.shares_tower()
    tower = shared._pe_core().tower
    seen: list[int] = []
    compute = tower._compute
    monkeypatch.setattr(tower, "_compute", lambda pixels: seen.append(len(pixels)) or compute(pixels))
    first, second, third, fourth = shared.encode_frames([one, one, other, one])
    assert sum(seen) == 2
    assert np.array_equal(first.frame, second.frame)
    assert np.array_equal(first.frame, fourth.frame)
    assert not np.array_equal(first.frame, third.frame)


def test_features_of_another_codec_are_not_used(shared: ModelSet, separate: ModelSet) -> None:
    steps = np.zeros((30, 16), dtype=np.float16)
    assert separate.shared_codec() is None
    codec = shared.shared_codec()
    assert codec is not None
    found = shared.event_probabilities_from(CodecFeatures(codec, steps), ["siren"])
    assert found is not None
    assert found.shape == (1, 30)
    assert shared.event_probabilities_from(CodecFeatures("another", steps), ["siren"]) is None


def out_of_memory_above(most: int, compute: Callable[..., Any]) -> Callable[..., Any]:
    """The real exception, for batches of more than so many."""

    def limited(batch: torch.Tensor) -> Any:
        if len(batch) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.")
        return compute(batch)

    return limited


def test_memory_that_runs_out_changes_no_vector(shared: ModelSet, monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = SoundChunk(AUDIO, 0, 0, 30, (), ())
    squares = [shared.resize(picture) for picture in PICTURES]
    frames, sounds = shared.encode_frames(squares), shared.encode_sound([chunk] * 5)
    assert shared.problems() == []
    tower, sound = shared._pe_core().tower, shared._pe_av().sound
    tower.batches.size = tower.batches.started_with = sound.batches.size = sound.batches.started_with = 16
    monkeypatch.setattr(tower, "_compute", out_of_memory_above(3, tower._compute))
    monkeypatch.setattr(sound._codec, "early", out_of_memory_above(1, sound._codec.early))
    again, heard_again = shared.encode_frames(squares), shared.encode_sound([chunk] * 5)
    np.testing.assert_allclose([each.frame for each in again], [each.frame for each in frames], atol=1e-6)
    np.testing.assert_allclose([each.steps for each in heard_again], [each.steps for each in sounds], atol=1e-4)
    assert shared.problems() == [
        "memory ran out: frames were taken 2 at a time in place of 16",
        "memory ran out: chunks of sound were taken 1 at a time in place of 16",
    ]
