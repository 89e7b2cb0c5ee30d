"""Model sets: spaces, lazy loading, probabilities."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pesearch.encoders import device_selection
from pesearch.encoders.io_types import WindowInput
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.errors import DeviceError, ModelDamaged, UnknownModel
from pesearch.types import MEDIA_SPACES, SpaceName

AUDIO = (np.random.default_rng(4).standard_normal(48_000) * 0.1).astype(np.float32)
FRAMES = [np.full((20, 30, 3), 40 * index, dtype=np.uint8) for index in range(3)]


@pytest.fixture(scope="module")
def models(tiny_set: Path) -> ModelSet:
    return open_model_set("starter", "cpu", tiny_set)


def test_name_device_notice_and_spaces(models: ModelSet) -> None:
    assert (models.name, models.device) == ("starter", "cpu")
    assert models.notice is not None
    assert "\n" not in models.notice
    assert [(space.name, space.dim) for space in models.spaces] == [(name, 32) for name in MEDIA_SPACES]
    frame, video, audio, both = models.spaces
    assert video.revision == audio.revision == both.revision != frame.revision


def test_changed_weights_change_the_revision(tiny_set: Path, tmp_path: Path, models: ModelSet) -> None:
    for part in tiny_set.iterdir():
        (tmp_path / part.name).mkdir()
        for file in part.iterdir():
            (tmp_path / part.name / file.name).write_bytes(file.read_bytes())
    assert open_model_set("starter", "cpu", tmp_path).spaces == models.spaces
    weights = tmp_path / "pe_core" / "open_clip_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    changed = open_model_set("starter", "cpu", tmp_path).spaces
    assert changed[0] != models.spaces[0]
    assert changed[1:] == models.spaces[1:]


def test_a_gpu_is_looked_for_on_first_use(tiny_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []
    monkeypatch.setattr(device_selection, "_has_gpu_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: looked.append(True))
    models = open_model_set("starter", "auto", tiny_set)
    assert (models.spaces[0].dim, looked) == (32, [])
    assert (models.device, models.devices, models.device_kind, looked) == ("cpu", ("cpu",), "cpu", [True])


def test_a_named_device_is_looked_for_at_once(tiny_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="--device cpu"):
        open_model_set("starter", "cuda", tiny_set)


def test_tiny_models_run_on_one_thread(tiny_set: Path) -> None:
    torch.set_num_threads(2)
    open_model_set("starter", "cpu", tiny_set).embed_frames(FRAMES)
    assert torch.get_num_threads() == 1


def test_models_load_on_first_use(tiny_set: Path) -> None:
    models = open_model_set("starter", "cpu", tiny_set)
    assert models._models.loaded == frozenset()
    models.embed_frames(FRAMES)
    assert models._models.loaded == {"pe_core"}


def test_texts_have_vectors_in_the_spaces_asked_for(models: ModelSet) -> None:
    vectors = models.embed_texts(["rain"], [SpaceName.AUDIO])
    assert vectors.audio is not None
    assert (vectors.frame, vectors.video, vectors.audio_video) == (None, None, None)


def test_texts_and_media_have_vectors_in_every_space(models: ModelSet) -> None:
    texts = models.embed_texts(["siren and train", "rain"])
    [window] = models.embed_windows([WindowInput(FRAMES, AUDIO)])
    for space in MEDIA_SPACES:
        vectors = texts.of(space)
        assert vectors is not None
        assert vectors.shape == (2, 32)
        assert vectors.dtype == np.float32
    assert models.embed_frames(FRAMES).shape == (3, 32)
    assert {part.shape for part in (window.video, window.audio, window.audio_video) if part is not None} == {(32,)}


def test_light_embeds_frames_and_audio_only(tiny_set: Path) -> None:
    light = open_model_set("light", "cpu", tiny_set)
    assert light.notice is None
    assert [space.name for space in light.spaces] == [SpaceName.FRAME, SpaceName.AUDIO]
    [window] = light.embed_windows([WindowInput(FRAMES, AUDIO)])
    assert window.audio is not None
    assert (window.video, window.audio_video) == (None, None)
    texts = light.embed_texts(["rain"])
    assert (texts.video, texts.audio_video) == (None, None)
    assert texts.frame is not None
    assert texts.audio is not None


def test_probabilities_use_the_learned_scale_and_bias(models: ModelSet) -> None:
    """The tiny model has scale 0.1 and bias -0.5: probability 0.5 at a dot product of 5."""
    found = models.probabilities(SpaceName.AUDIO, [[-1e9, 5.0, 1e9]])
    np.testing.assert_allclose(found, [[0.0, 0.5, 1.0]], atol=1e-6)
    assert models.probabilities(SpaceName.VIDEO, 5.0, SpaceName.AUDIO) == pytest.approx(0.5)
    assert models.probabilities(SpaceName.AUDIO, 5.0, SpaceName.AUDIO) is None
    assert models.probabilities(SpaceName.FRAME, 0.3) is None


def test_events_have_one_probability_per_phrase_and_step(models: ModelSet) -> None:
    found = models.event_probabilities(AUDIO, ["siren", "dog"])
    assert found.shape == (2, 25)
    assert 0 < found.min() < found.max() < 1


def test_an_unknown_set_and_a_folder_without_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel):
        open_model_set("huge")
    with pytest.raises(ModelDamaged, match="lacks"):
        open_model_set("starter", "cpu", tmp_path)


def test_cue_vectors_are_audio_text_vectors_of_unit_length(models: ModelSet) -> None:
    texts = models.embed_texts(["siren and train", "rain"], {SpaceName.CUE})
    assert texts.audio is not None and texts.cue is not None and texts.video is None
    np.testing.assert_allclose(np.linalg.norm(texts.cue, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(texts.cue * np.linalg.norm(texts.audio, axis=1)[:, None], texts.audio, rtol=1e-4)
