"""A pass over a track in chunks equals plain codec calls, on the whole track and on each of its windows."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.encoders.checkpoint_loader import load_pe_av
from pesearch.encoders.chunked_codec import SoundEncoder
from pesearch.encoders.codec import Codec
from pesearch.encoders.io_types import SoundChunk, SoundFeatures
from pesearch.encoders.preprocess import pad_to_whole_steps
from pesearch.timeline import STEP_SAMPLES
from pesearch.types import FloatArray

STARTER = Path(__file__).parents[2] / "encoders" / "starter" / "pe_av"


@pytest.fixture(scope="module", params=["tiny", "starter"])
def checkpoint(request: pytest.FixtureRequest, tiny_set: Path) -> Path:
    """Two codecs with receptive fields of 6 and 14 steps."""
    return tiny_set / "pe_av" if request.param == "tiny" else STARTER


@pytest.fixture(scope="module")
def plain(checkpoint: Path) -> Any:
    """The codec as transformers loads and runs it."""
    return load_pe_av(checkpoint).audio_model.audio_encoder.embedder


@pytest.fixture(scope="module")
def codec(plain: Any) -> Codec:
    return Codec(deepcopy(plain))


def call_plain(embedder: Any, audio: FloatArray) -> FloatArray:
    with torch.inference_mode():
        samples = torch.from_numpy(pad_to_whole_steps(audio))[None, None]
        features: torch.Tensor = embedder.bottleneck(embedder.dac_encoder(samples))
    return features[0].T.numpy()


def assert_close(found: FloatArray, expected: FloatArray) -> None:
    """Equal up to rounding: to 1e-4 of the features' standard deviation."""
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-4 * expected.std()


def noise(samples: int, seed: int = 5) -> FloatArray:
    """Noise of varying loudness, so that no two parts are alike."""
    random = np.random.default_rng(seed)
    loudness = np.interp(np.arange(samples), np.linspace(0, samples, 40), random.uniform(0, 0.5, 40))
    return (random.standard_normal(samples) * loudness).astype(np.float32)


def chunks_of(
    audio: FloatArray, codec: Codec, borders: Sequence[int], cuts: Sequence[tuple[int, int]]
) -> list[SoundChunk]:
    """The track cut at these steps, with the windows `cuts` (first step, last step)."""
    steps = -(-audio.size // STEP_SAMPLES)
    chunks = []
    for start, stop in zip([0, *borders], [*borders, steps], strict=True):
        first, last = max(start - codec.context_steps, 0), min(stop + codec.context_steps, steps)
        starts = tuple(begin for begin, _ in cuts if start <= begin < stop and begin > 0)
        ends = tuple(end for _, end in cuts if start < end <= stop and end < steps)
        samples = audio[first * STEP_SAMPLES : last * STEP_SAMPLES]
        chunks.append(SoundChunk(samples, first, start, stop, starts, ends))
    return chunks


def window_of(features: Sequence[SoundFeatures], first: int, last: int) -> FloatArray:
    steps = np.concatenate([each.steps for each in features])[first:last].copy()
    for each in features:
        if first in each.after_starts:
            steps[: len(each.after_starts[first])] = each.after_starts[first]
        if last in each.before_ends:
            steps[-len(each.before_ends[last]) :] = each.before_ends[last]
    return steps


def test_receptive_fields(checkpoint: Path, codec: Codec) -> None:
    """In steps of 40 ms: before the last block, of the rest, of all. They set how far chunks overlap."""
    fields = codec.fine_reach, codec.coarse_reach, codec.reach, codec.context_steps
    assert fields == ((3, 12, 14, 15) if checkpoint == STARTER else (1, 5, 6, 6))


def test_features_of_a_whole_sound_equal_the_plain_call(codec: Codec, plain: Any) -> None:
    audio = noise(70 * STEP_SAMPLES + 17)
    (found,) = SoundEncoder(codec, "cpu").encode_whole([audio])
    assert_close(found, call_plain(plain, audio))


@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_chunks_equal_a_whole_pass(codec: Codec, plain: Any, data: st.DataObject) -> None:
    samples = data.draw(st.integers(40 * STEP_SAMPLES, 90 * STEP_SAMPLES))
    steps = -(-samples // STEP_SAMPLES)
    borders = sorted(data.draw(st.sets(st.integers(1, steps - 1), max_size=3)))
    audio = noise(samples)
    features = SoundEncoder(codec, "cpu").encode(chunks_of(audio, codec, borders, []))
    assert_close(np.concatenate([each.steps for each in features]), call_plain(plain, audio))


def test_windows_equal_plain_calls_on_their_own_samples(codec: Codec, plain: Any) -> None:
    """At the start and the end of the track, across a border between chunks, and starting at one."""
    audio = noise(170 * STEP_SAMPLES - 300)
    cuts = [(0, 60), (30, 90), (60, 120), (90, 150), (110, 170)]
    features = SoundEncoder(codec, "cpu").encode(chunks_of(audio, codec, [90], cuts))
    for first, last in cuts:
        expected = call_plain(plain, audio[first * STEP_SAMPLES : last * STEP_SAMPLES])
        assert_close(window_of(features, first, last), expected)


def test_silence_is_not_computed_and_equals_the_plain_call(
    codec: Codec, plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence = np.zeros(150 * STEP_SAMPLES, dtype=np.float32)
    cuts = [(0, 60), (30, 90), (90, 150)]
    encoder = SoundEncoder(codec, "cpu")
    encoder.encode(chunks_of(silence, codec, [75], cuts))
    monkeypatch.setattr(codec, "early", None)
    features = encoder.encode(chunks_of(silence, codec, [75], cuts))
    assert_close(np.concatenate([each.steps for each in features]), call_plain(plain, silence))
    for first, last in cuts:
        expected = call_plain(plain, silence[first * STEP_SAMPLES : last * STEP_SAMPLES])
        assert_close(window_of(features, first, last), expected)


def test_the_digest_depends_on_the_weights_only(checkpoint: Path, codec: Codec, plain: Any) -> None:
    """Libraries store it: it must not change with the version or the precision."""
    assert checkpoint != STARTER or codec.digest == "bb85e5397ac5afa5"
    assert Codec(deepcopy(plain), torch.bfloat16).digest == codec.digest
    changed = deepcopy(plain)
    with torch.no_grad():
        changed.bottleneck.bias[0] += 1e-3
    assert Codec(changed).digest != codec.digest
