"""PE-AV, PE-A-Frame and PE-Core at their real widths, with random weights: our loaders equal the plain calls.

The released depths only repeat layers of the same widths: the parameters of the whole models are counted without
memory, on torch's meta device, and the calls are compared on one layer per tower (0.5 GB in place of 3.4).
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from PIL import Image

from pesearch.encoders.lazy_imports import load_open_clip, load_transformers, suppress_output
from pesearch.encoders.model_files import ModelFolder
from pesearch.encoders.numpy_models.pe_a_frame import NumpyPeAFrame
from pesearch.encoders.numpy_models.pe_av import NumpyPeAvText
from pesearch.encoders.numpy_models.pe_core import NumpyPeCoreText
from pesearch.encoders.parameter_init import SkipParameterInit
from pesearch.encoders.pe_a_frame import PeAFrame
from pesearch.encoders.pe_av import PeAv
from pesearch.encoders.pe_core import PeCore
from pesearch.types import SpaceName
from tests.encoders.checkpoints import (
    SHALLOW,
    SMALL,
    pe_a_frame_config,
    pe_av_config,
    save_pe_a_frame,
    save_pe_av,
    save_pe_core,
)

pytestmark = pytest.mark.slow

TEXTS = ["siren and train", "rain"]
RANDOM = np.random.default_rng(6)
FRAMES = [RANDOM.integers(0, 256, (180, 320, 3), dtype=np.uint8) for _ in range(2)]
AUDIO = (RANDOM.standard_normal(6_000) * 0.1).astype(np.float32)
SPACES = (SpaceName.VIDEO, SpaceName.AUDIO, SpaceName.AUDIO_VIDEO)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is deleted after the test: pytest would keep its files for three runs."""
    with TemporaryDirectory() as name:
        yield Path(name)


def model_folder(path: Path) -> ModelFolder:
    return ModelFolder(path, "test", "test", 1024, None)


def test_released_models_have_the_expected_number_of_parameters() -> None:
    transformers = load_transformers()
    with suppress_output(), torch.device("meta"), SkipParameterInit():
        av = transformers.PeAudioVideoModel(pe_av_config(SMALL))
        frame = transformers.PeAudioFrameLevelModel(pe_a_frame_config(SMALL))
    av.tie_weights()
    assert sum(weight.numel() for weight in av.parameters()) == 846_991_308
    assert sum(weight.numel() for weight in frame.parameters()) == 439_677_890


def test_pe_av_small(folder: Path) -> None:
    path = save_pe_av(SHALLOW, folder / "pe_av")
    av = PeAv(model_folder(path), "cpu")
    [window] = av.embed_windows([av.features(FRAMES, AUDIO)])
    texts = av.embed_texts(TEXTS, SPACES)
    del av
    on_numpy = NumpyPeAvText(model_folder(path), 1).embed_texts(TEXTS, SPACES)
    for space in SPACES:
        np.testing.assert_allclose(on_numpy[space], texts[space], atol=1e-5)
    transformers = load_transformers()
    config = transformers.PeAudioVideoConfig.from_pretrained(path)
    config.audio_video_config.video_config.vision_config.num_labels = 1024
    with suppress_output():
        plain = transformers.PeAudioVideoModel.from_pretrained(path, config=config).eval()
        processor = transformers.AutoProcessor.from_pretrained(path)
    plain.text_model.config.tie_last_hidden_states = False
    pictures = torch.from_numpy(np.stack(FRAMES)).permute(0, 3, 1, 2)
    media = {"audio": [AUDIO], "videos": [pictures]}
    with torch.inference_mode():
        expected = plain(**processor(text=TEXTS[:1], **media, return_tensors="pt", padding=True, sampling_rate=48_000))
    for found, plainly in (
        (window.video, expected.video_embeds),
        (window.audio, expected.audio_embeds),
        (window.audio_video, expected.audio_video_embeds),
        (texts[SpaceName.AUDIO_VIDEO][0], expected.text_audio_video_embeds),
    ):
        np.testing.assert_allclose(found, plainly[0].numpy(), atol=1e-4)


def test_pe_a_frame_small(folder: Path) -> None:
    path = save_pe_a_frame(SHALLOW, folder / "pe_a_frame")
    detector, on_numpy = PeAFrame(model_folder(path), "cpu"), NumpyPeAFrame(model_folder(path), 1)
    found = detector.detect(AUDIO, TEXTS)
    features = RANDOM.standard_normal((250, detector.codec.dim)).astype(np.float32)
    probabilities = on_numpy.probabilities(features, TEXTS)
    np.testing.assert_allclose(probabilities, detector.probabilities(features, TEXTS), atol=1e-4)
    transformers = load_transformers()
    with suppress_output():
        plain = transformers.PeAudioFrameLevelModel.from_pretrained(path).eval()
        processor = transformers.AutoProcessor.from_pretrained(path)
    plain.text_model.config.tie_last_hidden_states = False
    inputs = processor(text=TEXTS, audio=[AUDIO], return_tensors="pt", padding=True, sampling_rate=48_000)
    with torch.inference_mode():
        expected = plain(**inputs).logits_audio_text[0].sigmoid().numpy()
    assert found.shape == (2, 4)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_pe_core_b(folder: Path) -> None:
    path = save_pe_core(folder / "pe_core", "PE-Core-B-16", text_layers=1)
    core = PeCore(model_folder(path), "cpu")
    frames, texts = core.tower.embed(FRAMES), core.embed_texts(TEXTS)
    del core
    on_numpy = NumpyPeCoreText(model_folder(path), 1).embed_texts(TEXTS)
    np.testing.assert_allclose(on_numpy, texts, atol=1e-5)
    open_clip = load_open_clip()
    with suppress_output():
        with SkipParameterInit():
            model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{path}")
        tokens = open_clip.get_tokenizer("PE-Core-B-16")(TEXTS)
    with torch.inference_mode():
        pictures = torch.stack([preprocess(Image.fromarray(frame)) for frame in FRAMES])
        np.testing.assert_allclose(frames, model.eval().encode_image(pictures, normalize=True).numpy(), atol=1e-4)
        np.testing.assert_allclose(texts, model.encode_text(tokens, normalize=True).numpy(), atol=1e-4)
