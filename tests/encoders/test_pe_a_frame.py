"""PE-A-Frame through our loader equals the plain Hugging Face call; longer audio is joined from sections."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pesearch.encoders.folders import ModelFolder
from pesearch.encoders.libraries import load_transformers, silent
from pesearch.encoders.pe_a_frame import OVERLAP_STEPS, SECTION_STEPS, PeAFrame, kept, sections
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
    """The plain model, its text tower made to give its state before the final norm by configuration."""
    transformers = load_transformers()
    with silent():
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
    found = frame_model.hear(audio, PHRASES)
    assert found.shape == (3, -(-samples // STEP_SAMPLES))
    np.testing.assert_allclose(found, call_plain(plain, audio), atol=1e-4)


def test_long_audio_is_heard_in_sections_of_ten_seconds(frame_model: PeAFrame, plain: Any) -> None:
    audio = noise(23 * SECOND + 100)
    found = frame_model.hear(audio, PHRASES)
    first = call_plain(plain, audio[: 10 * SECOND])
    second = call_plain(plain, audio[8 * SECOND : 18 * SECOND])
    last = call_plain(plain, audio[(576 - 250) * STEP_SAMPLES :])
    assert found.shape == (3, 576)
    # Plain calls hear a cut where a section ends; the sections here start from features of the whole sound.
    np.testing.assert_allclose(found[:, :225], first[:, :225], atol=2e-3)
    np.testing.assert_allclose(found[:, 225:388], second[:, 25:188], atol=2e-3)
    np.testing.assert_allclose(found[:, 388:], last[:, 62:], atol=2e-3)


def test_nothing_to_hear_or_to_name_gives_nothing(frame_model: PeAFrame) -> None:
    assert frame_model.hear(noise(0), PHRASES).shape == (3, 0)
    assert frame_model.hear(noise(5000), []).shape == (0, 3)


@given(steps=st.integers(1, 3000))
def test_sections_cover_all_and_every_step_is_kept_once(steps: int) -> None:
    bounds, keeps = sections(steps), kept(sections(steps))
    assert [step for first, last in keeps for step in range(first, last)] == list(range(steps))
    for (first, last), (keep_first, keep_last) in zip(bounds, keeps, strict=True):
        assert 0 <= first <= keep_first < keep_last <= last <= steps
        assert last - first == min(steps, SECTION_STEPS)
        assert keep_first == 0 or keep_first - first >= OVERLAP_STEPS // 2
        assert keep_last == steps or last - keep_last >= OVERLAP_STEPS // 2


def test_the_same_phrases_again_and_others_between(frame_model: PeAFrame) -> None:
    audio = noise(SECOND)
    first = frame_model.hear(audio, PHRASES)
    reversed_order = frame_model.hear(audio, PHRASES[::-1])
    np.testing.assert_allclose(reversed_order, first[::-1], atol=1e-6)
    np.testing.assert_array_equal(frame_model.hear(audio, PHRASES), first)
