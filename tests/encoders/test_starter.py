"""The packaged starter set: complete, small, and equal through our loaders and through plain calls."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pesearch.disk_usage import size_on_disk
from pesearch.encoders.hub import find_model_folders
from pesearch.encoders.io_types import WindowInput
from pesearch.encoders.lazy_imports import load_open_clip, load_transformers, suppress_output
from pesearch.encoders.model_registry import describe
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.types import SpaceName

TEXTS = ["siren and train", "a red car"]
RANDOM = np.random.default_rng(5)
FRAMES = [RANDOM.integers(0, 256, (120, 160, 3), dtype=np.uint8) for _ in range(7)]
AUDIO = (RANDOM.standard_normal(2 * 48_000) * 0.1).astype(np.float32)


@pytest.fixture(scope="module")
def starter() -> ModelSet:
    return open_model_set("starter", "cpu")


@pytest.fixture(scope="module")
def folder() -> Path:
    return find_model_folders(describe("starter")).windows.path.parent


def test_it_is_small_and_has_a_notice(starter: ModelSet, folder: Path) -> None:
    weights = sum(size_on_disk(folder / part) for part in ("pe_core", "pe_av", "pe_a_frame"))
    assert weights < 20e6
    assert starter.notice is not None
    assert "only the small generated world" in starter.notice
    assert [space.dim for space in starter.spaces] == [describe("starter").windows.dim] * 4


def test_windows_and_texts_equal_the_plain_call(starter: ModelSet, folder: Path) -> None:
    transformers = load_transformers()
    with suppress_output():
        plain = transformers.PeAudioVideoModel.from_pretrained(folder / "pe_av", dtype=torch.float32).eval()
        processor = transformers.AutoProcessor.from_pretrained(folder / "pe_av")
    plain.text_model.config.tie_last_hidden_states = False
    video = torch.from_numpy(np.stack(FRAMES)).permute(0, 3, 1, 2)
    media = {"audio": [AUDIO] * 2, "videos": [video] * 2}
    inputs = processor(text=TEXTS, **media, return_tensors="pt", padding=True, sampling_rate=48_000)
    with torch.inference_mode():
        expected = plain(**inputs)
    [window] = starter.embed_windows([WindowInput(FRAMES, AUDIO)])
    texts = starter.embed_texts(TEXTS)
    for found, plainly in (
        (window.video, expected.video_embeds[0]),
        (window.audio, expected.audio_embeds[0]),
        (window.audio_video, expected.audio_video_embeds[0]),
        (texts.audio_video, expected.text_audio_video_embeds),
    ):
        assert found is not None
        np.testing.assert_allclose(found, plainly.numpy(), atol=1e-4)


def test_frames_equal_the_plain_call(starter: ModelSet, folder: Path) -> None:
    with suppress_output():
        model, _, preprocess = load_open_clip().create_model_and_transforms(f"local-dir:{folder / 'pe_core'}")
    with torch.inference_mode():
        expected = model.eval().encode_image(preprocess(Image.fromarray(FRAMES[0]))[None], normalize=True)
    np.testing.assert_allclose(starter.embed_frames(FRAMES[:1]), expected.numpy(), atol=1e-4)


def test_probabilities_are_between_0_and_1_and_increase_with_the_score(starter: ModelSet) -> None:
    events = starter.event_probabilities(AUDIO, ["siren", "train", "bell"])
    assert events.shape == (3, 50)
    assert 0 <= events.min() <= events.max() <= 1
    for space in (SpaceName.VIDEO, SpaceName.AUDIO, SpaceName.AUDIO_VIDEO):
        found = starter.probabilities(space, [-1.0, 0.0, 1.0])
        assert found is not None
        assert 0 <= found[0] < found[1] < found[2] <= 1


def test_bfloat16_changes_no_frame_step_or_window_beyond_rounding(
    starter: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries hold vectors of both precisions: cosines of at least 0.9995, but not equal. Texts are the same."""
    monkeypatch.setenv("PESEARCH_PRECISION", "bfloat16")
    half = open_model_set("starter", "cpu")
    assert (starter.precision, half.precision) == ("float32", "bfloat16")
    inputs = [WindowInput(FRAMES, AUDIO), WindowInput(FRAMES, None), WindowInput([], AUDIO)]
    for exact, rounded in zip(vectors_of(starter, inputs), vectors_of(half, inputs), strict=True):
        assert rounded.dtype == np.float32
        cosines = (exact * rounded).sum(-1) / np.linalg.norm(exact, axis=-1) / np.linalg.norm(rounded, axis=-1)
        assert 0.9995 <= cosines.min() < 1 - 1e-6
    assert np.array_equal(half.embed_texts(TEXTS).audio, starter.embed_texts(TEXTS).audio)
    [one], [other] = (
        models.encode_windows_with_text(models.window_features(inputs[:1]), "red") for models in (starter, half)
    )
    assert float(one.video @ other.video) > 0.9995 * np.linalg.norm(one.video) * np.linalg.norm(other.video)


def vectors_of(models: ModelSet, inputs: list[WindowInput]) -> list[np.ndarray]:
    """Of frames, of the codec's steps, and of each window."""
    features = models.window_features(inputs)
    windows = [(each.video, each.audio, each.audio_video) for each in models.encode_windows(features)]
    parts = [vector[None] for window in windows for vector in window if vector is not None]
    return [models.embed_frames(FRAMES), features[0].sound, *parts]
