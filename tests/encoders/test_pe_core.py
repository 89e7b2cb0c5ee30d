"""PE-Core through our loader equals the plain open_clip call."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from pesearch.encoders.lazy_imports import load_open_clip, suppress_output
from pesearch.encoders.model_files import ModelFolder, remedy
from pesearch.encoders.model_registry import PACKAGE_FOLDER
from pesearch.encoders.pe_core import PeCore
from pesearch.errors import ModelDamaged

TEXTS = ["a photo of a train", "rain"]


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    random = np.random.default_rng(1)
    sizes = [(40, 90), (300, 200), (7, 5)]
    return [random.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in sizes]


@pytest.fixture(scope="module")
def core(tiny_set: Path) -> PeCore:
    return open_core(tiny_set / "pe_core")


def open_core(path: Path) -> PeCore:
    return PeCore(ModelFolder(path, "test", "test", 32, None), "cpu")


def test_vectors_equal_the_plain_call(core: PeCore, tiny_set: Path, frames: list[np.ndarray]) -> None:
    open_clip = load_open_clip()
    name = f"local-dir:{tiny_set / 'pe_core'}"
    with suppress_output():
        model, _, preprocess = open_clip.create_model_and_transforms(name)
        tokens = open_clip.get_tokenizer(name)(TEXTS)
    with torch.inference_mode():
        pictures = model.eval().encode_image(
            torch.stack([preprocess(Image.fromarray(frame)) for frame in frames]), normalize=True
        )
        texts = model.encode_text(tokens, normalize=True)
    np.testing.assert_allclose(core.tower.embed(frames), pictures.numpy(), atol=1e-4)
    np.testing.assert_allclose(core.embed_texts(TEXTS), texts.numpy(), atol=1e-4)


def test_tokenizers_are_loaded_by_the_first_text(tiny_set: Path) -> None:
    """They take 26 MB each; open_clip makes another one when it is imported."""
    core = open_core(tiny_set / "pe_core")
    assert load_open_clip().tokenizer._tokenizer is None and "_tokenize" not in vars(core)
    core.embed_texts(TEXTS)
    assert "_tokenize" in vars(core)


def test_vectors_have_unit_length_and_do_not_depend_on_the_batch(core: PeCore, frames: list[np.ndarray]) -> None:
    vectors = core.tower.embed(frames)
    assert vectors.shape == (3, 32)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(core.tower.embed(frames[2:]), vectors[2:], atol=1e-5)


def test_images_are_squashed_not_cropped_even_without_a_preprocessing_configuration(
    tiny_set: Path, tmp_path: Path, core: PeCore, frames: list[np.ndarray]
) -> None:
    """open_clip falls back to OpenAI's mean, bicubic and a centre crop then: the red margin would be lost."""
    unconfigured = tmp_path / "pe_core"
    shutil.copytree(tiny_set / "pe_core", unconfigured)
    config = json.loads((unconfigured / "open_clip_config.json").read_text())
    del config["preprocess_cfg"]
    (unconfigured / "open_clip_config.json").write_text(json.dumps(config))
    margin = np.zeros((30, 90, 3), dtype=np.uint8)
    margin[:, :30, 0] = 255
    pictures = [margin, *frames]
    np.testing.assert_allclose(open_core(unconfigured).tower.embed(pictures), core.tower.embed(pictures), atol=1e-6)


def test_no_input_gives_no_vectors(core: PeCore) -> None:
    assert core.tower.embed([]).shape == core.embed_texts([]).shape == (0, 32)


def test_truncated_weights_are_damage(tiny_set: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "pe_core"
    shutil.copytree(tiny_set / "pe_core", damaged)
    weights = damaged / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(ModelDamaged, match="PE-Core"):
        open_core(damaged)


def test_weights_of_another_shape_are_named_with_what_to_do(tiny_set: Path, tmp_path: Path) -> None:
    """The reason stands in the second line of torch's error; the set of the demo comes with pesearch itself."""
    damaged = tmp_path / "pe_core"
    shutil.copytree(tiny_set / "pe_core", damaged)
    weights = load_file(damaged / "open_clip_model.safetensors")
    name = "ln_final.weight"
    save_file(weights | {name: torch.zeros(3)}, damaged / "open_clip_model.safetensors")
    with pytest.raises(ModelDamaged, match=rf"{name}.*: fetch the model again\.$"):
        open_core(damaged)
    assert remedy(PACKAGE_FOLDER / "starter" / "pe_core") == "install pesearch again"
