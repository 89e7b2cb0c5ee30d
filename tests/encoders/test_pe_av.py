"""PE-AV through our loader equals the plain Hugging Face call, with text states before the final norm."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from pesearch.encoders.checkpoint_loader import load_pe_av
from pesearch.encoders.lazy_imports import load_transformers, suppress_output
from pesearch.encoders.model_files import ModelFolder
from pesearch.encoders.pe_av import PeAv
from pesearch.errors import ModelDamaged
from pesearch.types import FloatArray, SpaceName

TEXTS = ["siren and train", "a loud dog heard at night", "rain"]
SPACES = (SpaceName.VIDEO, SpaceName.AUDIO, SpaceName.AUDIO_VIDEO)
RANDOM = np.random.default_rng(2)
FRAMES = [RANDOM.integers(0, 256, (48, 90, 3), dtype=np.uint8) for _ in range(7)]
AUDIO = (RANDOM.standard_normal(50_000) * 0.1).astype(np.float32)


def open_av(path: Path, *, with_video: bool = True) -> PeAv:
    return PeAv(ModelFolder(path, "test", "test", 32, None), "cpu", with_video=with_video)


def embed(av: PeAv, *windows: tuple[list[np.ndarray] | None, FloatArray | None]) -> list[list[FloatArray | None]]:
    """Video, audio and audio-video vector of each window."""
    vectors = av.embed_windows([av.features(frames, audio) for frames, audio in windows])
    return [[each.video, each.audio, each.audio_video] for each in vectors]


@pytest.fixture(scope="module")
def av(tiny_set: Path) -> PeAv:
    return open_av(tiny_set / "pe_av")


@pytest.fixture(scope="module")
def plain(tiny_set: Path) -> Any:
    """The plain model, configured to return text states before the final norm."""
    transformers = load_transformers()
    config = transformers.PeAudioVideoConfig.from_pretrained(tiny_set / "pe_av")
    config.audio_video_config.video_config.vision_config.num_labels = 24
    with suppress_output():
        model = transformers.PeAudioVideoModel.from_pretrained(tiny_set / "pe_av", config=config).eval()
    for owner in (model, model.audio_model, model.video_model):
        owner.text_model.config.tie_last_hidden_states = False
    return model


def call_plain(plain: Any, path: Path, texts: list[str], audio: FloatArray, frames: list[np.ndarray]) -> Any:
    """The documented call: one processor for all, then the model's forward."""
    processor = load_transformers().AutoProcessor.from_pretrained(path)
    video = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)
    media = {"audio": [audio] * len(texts), "videos": [video] * len(texts)}
    inputs = processor(text=texts, **media, return_tensors="pt", padding=True, sampling_rate=48_000)
    with torch.inference_mode():
        return plain(**inputs)


def test_all_vectors_equal_the_plain_call(av: PeAv, plain: Any, tiny_set: Path) -> None:
    expected = call_plain(plain, tiny_set / "pe_av", TEXTS, AUDIO, FRAMES)
    [(video, audio, both)] = embed(av, (FRAMES, AUDIO))
    np.testing.assert_allclose(video, expected.video_embeds[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(audio, expected.audio_embeds[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(both, expected.audio_video_embeds[0].numpy(), atol=1e-4)
    texts = av.embed_texts(TEXTS, SPACES)
    np.testing.assert_allclose(texts[SpaceName.VIDEO], expected.text_video_embeds.numpy(), atol=1e-4)
    np.testing.assert_allclose(texts[SpaceName.AUDIO], expected.text_audio_embeds.numpy(), atol=1e-4)
    np.testing.assert_allclose(texts[SpaceName.AUDIO_VIDEO], expected.text_audio_video_embeds.numpy(), atol=1e-4)


def test_windows_with_a_text_equal_the_plain_call(av: PeAv, plain: Any, tiny_set: Path) -> None:
    expected = call_plain(plain, tiny_set / "pe_av", TEXTS, AUDIO, FRAMES)
    window = av.features(FRAMES, AUDIO)
    for number, text in enumerate(TEXTS):
        [joint] = av.embed_with_text([window], text)
        np.testing.assert_allclose(joint.video, expected.audio_plus_text_embeds[number].numpy(), atol=1e-4)
        np.testing.assert_allclose(joint.audio, expected.video_plus_text_embeds[number].numpy(), atol=1e-4)
    [joint] = av.embed_with_text([av.features(None, AUDIO)], TEXTS[0])
    np.testing.assert_allclose(joint.video, expected.audio_plus_text_embeds[0].numpy(), atol=1e-4)
    assert joint.audio is None


def test_texts_use_the_cls_state_before_the_final_norm(av: PeAv, plain: Any) -> None:
    """The reference definition, captured by a hook before the norm."""
    caught: list[torch.Tensor] = []
    hook = plain.text_model.final_norm.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0][:, 0]))
    tokens = load_transformers().AutoTokenizer.from_pretrained(plain.config._name_or_path)
    with torch.inference_mode():
        plain.text_model(**tokens(TEXTS, padding=True, return_tensors="pt"))
        hook.remove()
        expected = plain.audio_model.text_audio_head(caught[0]).numpy()
        after_the_norm = plain.audio_model.text_audio_head(plain.text_model.final_norm(caught[0])).numpy()
    found = av.embed_texts(TEXTS, [SpaceName.AUDIO])[SpaceName.AUDIO]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - after_the_norm).max() > 1e-2


def test_learned_scale_and_bias_give_the_plain_models_logits(av: PeAv, plain: Any, tiny_set: Path) -> None:
    expected = call_plain(plain, tiny_set / "pe_av", TEXTS, AUDIO, FRAMES)
    [(video, audio, both)] = embed(av, (FRAMES, AUDIO))
    texts = av.embed_texts(TEXTS, SPACES)
    questions = [
        (SpaceName.AUDIO, None, texts[SpaceName.AUDIO] @ audio, expected.logits_audio_text[0]),
        (SpaceName.VIDEO, None, texts[SpaceName.VIDEO] @ video, expected.logits_video_text[0]),
        (SpaceName.AUDIO_VIDEO, None, texts[SpaceName.AUDIO_VIDEO] @ both, expected.logits_audio_video_text[0]),
        (SpaceName.VIDEO, SpaceName.AUDIO, video @ audio, expected.logits_audio_video[0, 0]),
    ]
    for space, query_space, dots, logits in questions:
        pair = av.calibration(space, query_space)
        assert pair is not None
        np.testing.assert_allclose(dots * pair.scale + pair.bias, logits.numpy(), atol=1e-4)
    assert av.calibration(SpaceName.AUDIO, SpaceName.AUDIO) is None


def test_a_window_does_not_depend_on_its_batch(av: PeAv) -> None:
    """Padding would: the codec's convolutions see the zeros."""
    windows = [(FRAMES, AUDIO), (None, AUDIO[:9000]), (FRAMES[:2], None), (None, None), (FRAMES, AUDIO[::-1].copy())]
    together = embed(av, *windows)
    assert [[part is None for part in vectors] for vectors in together] == [
        [False, False, False],
        [True, False, True],
        [False, True, True],
        [True, True, True],
        [False, False, False],
    ]
    for window, vectors in zip(windows, together, strict=True):
        for alone, among in zip(embed(av, window)[0], vectors, strict=True):
            if alone is not None:
                np.testing.assert_allclose(alone, among, atol=1e-5)


def test_audio_vectors_are_the_same_without_the_video_tower(av: PeAv, tiny_set: Path) -> None:
    light = open_av(tiny_set / "pe_av", with_video=False)
    np.testing.assert_allclose(embed(light, (None, AUDIO))[0][1], embed(av, (None, AUDIO))[0][1])
    with pytest.raises(ValueError, match="no video tower"):
        embed(light, (FRAMES, AUDIO))


def test_long_texts_are_truncated_and_no_texts_give_no_vectors(av: PeAv) -> None:
    long = av.embed_texts(["train " * 2000], [SpaceName.AUDIO])[SpaceName.AUDIO]
    np.testing.assert_allclose(long, av.embed_texts(["train " * 3000], [SpaceName.AUDIO])[SpaceName.AUDIO])
    assert av.embed_texts([], SPACES)[SpaceName.VIDEO].shape == (0, 32)


def test_loading_and_embedding_print_nothing(tiny_set: Path, capfd: pytest.CaptureFixture[str]) -> None:
    embed(open_av(tiny_set / "pe_av"), (FRAMES, AUDIO))
    assert capfd.readouterr() == ("", "")


def copy_of(tiny_set: Path, folder: Path) -> Path:
    return Path(shutil.copytree(tiny_set / "pe_av", folder / "pe_av"))


@pytest.mark.parametrize("recorded", ["num_classes only", "num_labels only"])
def test_the_width_of_the_tower_is_restored_from_either_field(tiny_set: Path, tmp_path: Path, recorded: str) -> None:
    path = copy_of(tiny_set, tmp_path)
    config = json.loads((path / "config.json").read_text())
    vision = config["audio_video_config"]["video_config"]["vision_config"]
    assert vision["num_classes"] == 24
    if recorded == "num_labels only":
        del vision["label_names"]
        vision["num_labels"] = vision["num_classes"]
    (path / "config.json").write_text(json.dumps(config))
    assert load_pe_av(path).video_model.video_encoder.embedder.proj.weight.shape == (32, 24)


def test_a_tower_of_two_outputs_is_refused(tiny_set: Path, tmp_path: Path) -> None:
    path = copy_of(tiny_set, tmp_path)
    text = (path / "config.json").read_text()
    (path / "config.json").write_text(text.replace('"num_classes": 24', '"num_classes": 2'))
    with pytest.raises(ModelDamaged):
        load_pe_av(path)


def test_missing_weights_are_refused(tiny_set: Path, tmp_path: Path) -> None:
    path = copy_of(tiny_set, tmp_path)
    weights = load_file(path / "model.safetensors")
    del weights["audio_video_head.proj.weight"]
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelDamaged, match=r"1 weights missing.*audio_video_head\.proj\.weight"):
        load_pe_av(path)


def test_towers_saved_untied_are_refused(tiny_set: Path, tmp_path: Path) -> None:
    path = copy_of(tiny_set, tmp_path)
    weights = load_file(path / "model.safetensors")
    name = "video_model.video_encoder.output.weight"
    assert name in weights
    weights[name.replace("video_model", "audio_video_encoder.embedder")] = weights[name] + 1
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelDamaged, match="two video towers"):
        load_pe_av(path)


def test_another_kind_of_model_is_refused(tiny_set: Path) -> None:
    with pytest.raises(ModelDamaged):
        load_pe_av(tiny_set / "pe_a_frame")
