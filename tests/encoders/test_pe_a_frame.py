"""PE-A-Frame through our loader equals the plain Hugging Face call; longer audio is merged from windows."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pesearch.encoders.lazy_imports import load_transformers, suppress_output
from pesearch.encoders.model_files import ModelFolder
from pesearch.encoders.overlap_add import WINDOW_STEPS, overlapping_windows
from pesearch.encoders.pe_a_frame import PeAFrame
from pesearch.timeline import STEP_SAMPLES
from pesearch.types import FloatArray

PHRASES = ["siren", "a dog at night", "rain"]
SECOND = 48_000


def noise(samples: int) -> FloatArray:
    return (np.random.default_rng(3).standard_normal(samples) * 0.1).astype(np.float32)


@pytest.fixture(scope="module")
def frame_model(tiny_set: Path) -> PeAFrame:
    return PeAFrame(ModelFolder(tiny_set / "pe_a_frame", "test", "test", 32, None), "cpu")


@pytest.fixture(scope="module")
def plain(tiny_set: Path) -> Any:
    """The plain model, configured to return the text state before the final norm."""
    transformers = load_transformers()
    with suppress_output():
        model = transformers.PeAudioFrameLevelModel.from_pretrained(tiny_set / "pe_a_frame").eval()
    model.text_model.config.tie_last_hidden_states = False
    return model


def call_plain(plain: Any, audio: FloatArray) -> FloatArray:
    processor = load_transformers().AutoProcessor.from_pretrained(plain.config._name_or_path)
    inputs = processor(text=PHRASES, audio=[audio], return_tensors="pt", padding=True, sampling_rate=SECOND)
    with torch.inference_mode():
        logits: torch.Tensor = plain(**inputs).logits_audio_text[0]
    return logits.sigmoid().numpy()


@pytest.mark.parametrize("samples", [1, STEP_SAMPLES, STEP_SAMPLES + 1, 3 * SECOND + 5])
def test_probabilities_equal_the_plain_call(frame_model: PeAFrame, plain: Any, samples: int) -> None:
    audio = noise(samples)
    found = frame_model.detect(audio, PHRASES)
    assert found.shape == (3, -(-samples // STEP_SAMPLES))
    np.testing.assert_allclose(found, call_plain(plain, audio), atol=1e-4)


def test_long_audio_is_processed_in_windows_of_ten_seconds(frame_model: PeAFrame, plain: Any) -> None:
    audio = noise(13 * SECOND + 100)
    found = frame_model.detect(audio, PHRASES)
    assert found.shape == (3, 326)
    first, last = call_plain(plain, audio[: 10 * SECOND]), call_plain(plain, audio[76 * STEP_SAMPLES :])
    # Plain calls hear a cut where a window ends; the windows here start from features of the whole sound.
    np.testing.assert_allclose(found[:, :76], first[:, :76], atol=2e-3)
    np.testing.assert_allclose(found[:, 250:], last[:, 174:], atol=2e-3)
    both = np.minimum(first[:, 76:], last[:, :174]), np.maximum(first[:, 76:], last[:, :174])
    assert (found[:, 76:250] >= both[0] - 2e-3).all()
    assert (found[:, 76:250] <= both[1] + 2e-3).all()


def test_streamed_features_equal_the_whole(frame_model: PeAFrame) -> None:
    steps, dim = 1000, frame_model.codec.dim
    features = np.random.default_rng(4).standard_normal((steps, dim)).astype(np.float32)
    requested: list[tuple[int, int]] = []

    def read(first: int, stop: int) -> FloatArray:
        requested.append((first, stop))
        return features[first:stop]

    parts = list(frame_model.iter_probabilities(read, len(features), PHRASES))
    assert np.array_equal(np.concatenate(parts, axis=1), frame_model.probabilities(features, PHRASES))
    assert all(stop - first <= WINDOW_STEPS * frame_model.batches.size for first, stop in requested)
    assert len(parts) == len(overlapping_windows(len(features)))


def test_no_audio_or_no_phrases_give_empty_arrays(frame_model: PeAFrame) -> None:
    assert frame_model.detect(noise(0), PHRASES).shape == (3, 0)
    assert frame_model.detect(noise(5000), []).shape == (0, 3)


def test_cached_phrases_do_not_leak_into_other_queries(frame_model: PeAFrame) -> None:
    audio = noise(SECOND)
    first = frame_model.detect(audio, PHRASES)
    reversed_order = frame_model.detect(audio, PHRASES[::-1])
    np.testing.assert_allclose(reversed_order, first[::-1], atol=1e-6)
    np.testing.assert_array_equal(frame_model.detect(audio, PHRASES), first)


def test_concurrent_threads_get_their_own_phrases(frame_model: PeAFrame) -> None:
    expected = {phrase: frame_model.embed_phrases([phrase]) for phrase in PHRASES}
    switched = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            requested = PHRASES * 40
            found = list(threads.map(lambda phrase: frame_model.embed_phrases([phrase]), requested))
    finally:
        sys.setswitchinterval(switched)
    for phrase, text in zip(requested, found, strict=True):
        torch.testing.assert_close(text, expected[phrase])
