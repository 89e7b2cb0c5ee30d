"""Preprocessing equals that of transformers' own processors, and batches never mix lengths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.encoders.lazy_imports import load_transformers
from pesearch.encoders.preprocess import batches_by_key, pad_to_whole_steps, sample_frames
from pesearch.timeline import STEP_SAMPLES


@settings(max_examples=15, deadline=None)
@given(samples=st.integers(1, 5 * STEP_SAMPLES))
def test_audio_is_padded_like_the_feature_extractor_does(samples: int) -> None:
    audio = np.random.default_rng(samples).standard_normal(samples).astype(np.float32)
    theirs = load_transformers().PeAudioFeatureExtractor()(audio, sampling_rate=48_000, return_tensors="np")
    np.testing.assert_array_equal(pad_to_whole_steps(audio), theirs["input_values"][0, 0])


@pytest.mark.parametrize("audio", [np.zeros((2, 480)), np.zeros(0), np.zeros(20_000_000)])
def test_stereo_empty_and_too_long_audio_is_refused(audio: np.ndarray) -> None:
    with pytest.raises(ValueError, match="audio"):
        pad_to_whole_steps(audio.astype(np.float32))


@settings(max_examples=40, deadline=None)
@given(available=st.integers(1, 60), wanted=st.integers(2, 20))
def test_frames_are_sampled_like_the_video_processor_does(available: int, wanted: int) -> None:
    from transformers.video_utils import VideoMetadata

    metadata = VideoMetadata(total_num_frames=available)
    theirs = load_transformers().PeVideoVideoProcessor().sample_frames(metadata, num_frames=wanted)
    frames = [np.full((1, 1, 3), index, dtype=np.uint8) for index in range(available)]
    assert [int(frame[0, 0, 0]) for frame in sample_frames(frames, wanted)] == theirs


def test_without_a_count_all_frames_are_kept() -> None:
    frames = [np.full((1, 1, 3), index, dtype=np.uint8) for index in range(3)]
    assert len(sample_frames(frames, None)) == 3
    assert [int(frame[0, 0, 0]) for frame in sample_frames(frames, 1)] == [0]


@given(keys=st.lists(st.integers(0, 4)), size=st.integers(1, 5))
def test_batches_hold_equal_keys_only_and_every_position_once(keys: list[int], size: int) -> None:
    batches = list(batches_by_key(keys, size))
    assert sorted(position for batch in batches for position in batch) == list(range(len(keys)))
    assert all(len(batch) <= size and len({keys[position] for position in batch}) == 1 for batch in batches)
