"""The NumPy models give what the torch models give, and leave to torch what they do not know."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pesearch.encoders.lazy_imports import load_transformers
from pesearch.encoders.model_files import ModelFolder
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.encoders.numpy_models.audio_transformer import AudioTransformerConfig
from pesearch.encoders.numpy_models.modern_bert import ModernBertConfig
from pesearch.encoders.numpy_models.pe_a_frame import NumpyPeAFrame
from pesearch.encoders.numpy_models.pe_av import NumpyPeAvText
from pesearch.encoders.numpy_models.pe_core import NumpyPeCoreText
from pesearch.encoders.numpy_models.unsupported import UnsupportedModel
from pesearch.errors import ModelDamaged
from pesearch.types import SpaceName

TEXTS = ["siren and train", "rain", "", "a dog barks " * 60, "a loud dog heard at night", "Größe & 日本", "[SEP] bell"]
"""The longest is truncated by every tokenizer, and longer than the window of ModernBERT's local attention."""

SPACES = (SpaceName.VIDEO, SpaceName.AUDIO, SpaceName.AUDIO_VIDEO)
FEATURES = np.random.default_rng(8).standard_normal((700, 128)).astype(np.float32)


@pytest.fixture(scope="module", params=["starter", "tiny"])
def models(request: pytest.FixtureRequest, starter: ModelSet, tiny_set: Path) -> ModelSet:
    return starter if request.param == "starter" else open_model_set("starter", "cpu", tiny_set)


@pytest.mark.parametrize("threads", [1, 2])
def test_texts_have_the_same_vectors(models: ModelSet, threads: int) -> None:
    torch_models, folders = models._models, models.folders
    found = NumpyPeCoreText(folders.frames, threads).embed_texts(TEXTS)
    np.testing.assert_allclose(found, torch_models.pe_core.embed_texts(TEXTS), atol=1e-5)
    vectors = NumpyPeAvText(folders.windows, threads).embed_texts(TEXTS, SPACES)
    for space, expected in torch_models.pe_av.embed_texts(TEXTS, SPACES).items():
        np.testing.assert_allclose(vectors[space], expected, atol=1e-5)


def test_no_texts_have_no_vectors(models: ModelSet) -> None:
    dim = models.folders.frames.dim
    assert NumpyPeCoreText(models.folders.frames, 1).embed_texts([]).shape == (0, dim)
    assert NumpyPeAvText(models.folders.windows, 1).embed_texts([], SPACES)[SpaceName.AUDIO].shape == (0, dim)


def test_learned_scales_are_the_same(models: ModelSet) -> None:
    ours, theirs = NumpyPeAvText(models.folders.windows, 1), models._models.pe_av
    for space in SPACES:
        for query_space in (None, SpaceName.AUDIO, SpaceName.VIDEO):
            assert ours.calibration(space, query_space) == theirs.calibration(space, query_space)


@pytest.mark.parametrize("threads", [1, 2])
def test_sounds_have_the_same_probabilities(models: ModelSet, threads: int) -> None:
    """Over windows of 10 s, and over less than one."""
    ours, theirs = NumpyPeAFrame(models.folders.events, threads), models._models.pe_a_frame
    assert ours.codec_digest == theirs.codec.digest
    for steps in (700, 30):
        features = FEATURES[:steps, : theirs.codec.dim]
        found = ours.probabilities(features, TEXTS[:2])
        np.testing.assert_allclose(found, theirs.probabilities(features, TEXTS[:2]), atol=1e-4)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"num_hidden_layers": 5, "global_attn_every_n_layers": 2, "local_attention": 64},
        {"num_attention_heads": 4, "hidden_size": 64, "global_rope_theta": 5000.0, "norm_eps": 1e-3},
        {"num_hidden_layers": 1, "layer_types": ["sliding_attention"]},
        {"rope_parameters": {"sliding_attention": {"rope_type": "default", "rope_theta": 500.0}}},
    ],
)
def test_text_configurations_mean_what_they_mean_to_transformers(config: dict[str, Any]) -> None:
    """The forms of current and of earlier versions, with entries left out."""
    known = load_transformers().PeAudioConfig(text_config=config).text_config
    found = ModernBertConfig.read(config)
    assert found == ModernBertConfig(
        heads=known.num_attention_heads,
        epsilon=known.norm_eps,
        max_distance=known.sliding_window,
        is_sliding=tuple(kind == "sliding_attention" for kind in known.layer_types),
        theta=tuple(known.rope_parameters[kind]["rope_theta"] for kind in known.layer_types),
    )


def test_an_empty_audio_configuration_means_what_it_means_to_transformers() -> None:
    known = load_transformers().PeAudioEncoderConfig()
    assert AudioTransformerConfig.read({}) == AudioTransformerConfig(
        known.num_hidden_layers, known.num_attention_heads, known.rms_norm_eps, known.rope_parameters["rope_theta"]
    )


@pytest.mark.parametrize(
    ("part", "file", "keys", "value"),
    [
        ("pe_core", "open_clip_config.json", ("model_cfg", "text_cfg", "no_causal_mask"), True),
        ("pe_core", "open_clip_config.json", ("model_cfg", "quick_gelu"), True),
        ("pe_av", "config.json", ("text_config", "hidden_activation"), "relu"),
        ("pe_av", "config.json", ("text_config", "rope_parameters", "full_attention", "rope_type"), "yarn"),
        ("pe_av", "tokenizer_config.json", ("tokenizer_class",), "LlamaTokenizer"),
        ("pe_a_frame", "config.json", ("audio_config", "num_key_value_heads"), 1),
        ("pe_a_frame", "config.json", ("audio_config", "hidden_act"), "relu"),
    ],
)
def test_other_models_are_left_to_torch(
    tiny_set: Path, tmp_path: Path, part: str, file: str, keys: tuple[str, ...], value: object
) -> None:
    folder = changed(tiny_set / part, tmp_path / part, file, keys, value)
    kinds: dict[str, Callable[[ModelFolder, int], object]] = {
        "pe_core": NumpyPeCoreText,
        "pe_av": NumpyPeAvText,
        "pe_a_frame": NumpyPeAFrame,
    }
    with pytest.raises(UnsupportedModel):
        kinds[part](ModelFolder(folder, "test", "test", 32, None), 1)


def test_a_set_says_which_models_need_torch_and_uses_it(tiny_set: Path, tmp_path: Path) -> None:
    for part in ("pe_av", "pe_a_frame"):
        shutil.copytree(tiny_set / part, tmp_path / part)
    entry = ("model_cfg", "text_cfg", "pad_id")
    changed(tiny_set / "pe_core", tmp_path / "pe_core", "open_clip_config.json", entry, 0)  # open_clip's default
    models, plain = open_model_set("starter", "cpu", tmp_path), open_model_set("starter", "cpu", tiny_set)
    assert plain.torch_reasons() == {}
    assert models.torch_reasons() == {"pe_core": "text tower with pad_id"}
    np.testing.assert_allclose(models.embed_texts(TEXTS).frame, plain.embed_texts(TEXTS).frame, atol=1e-5)
    assert (models._models.loaded, plain._models.loaded) == ({"pe_core"}, frozenset())


def test_an_unreadable_tokenizer_is_damage(tiny_set: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_set / "pe_av", tmp_path / "pe_av")
    (tmp_path / "pe_av" / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelDamaged, match="unreadable tokenizer"):
        NumpyPeAvText(ModelFolder(tmp_path / "pe_av", "test", "test", 32, None), 1)


def changed(source: Path, folder: Path, file: str, keys: tuple[str, ...], value: object) -> Path:
    """A copy of a model with one entry of a configuration changed."""
    shutil.copytree(source, folder)
    content = json.loads((folder / file).read_text())
    owner = content
    for key in keys[:-1]:
        owner = owner[key]
    owner[keys[-1]] = value
    (folder / file).write_text(json.dumps(content))
    return folder
