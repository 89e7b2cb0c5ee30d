"""Preparation equals what transformers' own processors do, and batches never mix lengths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.encoders.lazy_imports import load_transformers
from pesearch.encoders.preprocess import batches_of_equals, sample_frames, whole_steps
from pesearch.timeline import STEP_SAMPLES


@settings(max_examples=25, deadline=None)
@given(samples=st.integers(1, 5 * STEP_SAMPLES))
def test_audio_is_extended_as_the_feature_extractor_extends_it(samples: int) -> None:
    audio = np.random.default_rng(samples).standard_normal(samples).astype(np.float32)
    theirs = load_transformers().PeAudioFeatureExtractor()(audio, sampling_rate=48_000, return_tensors="np")
    np.testing.assert_array_equal(whole_steps(audio), theirs["input_values"][0, 0])


@pytest.mark.parametrize("audio", [np.zeros((2, 480)), np.zeros(0), np.zeros(20_000_000)])
def test_stereo_nothing_and_endless_audio_are_refused(audio: np.ndarray) -> None:
    with pytest.raises(ValueError, match="audio"):
        whole_steps(audio.astype(np.float32))


@settings(max_examples=40, deadline=None)
@given(there=st.integers(1, 60), wanted=st.integers(2, 20))
def test_frames_are_chosen_as_the_video_processor_chooses_them(there: int, wanted: int) -> None:
    from transformers.video_utils import VideoMetadata

    metadata = VideoMetadata(total_num_frames=there)
    theirs = load_transformers().PeVideoVideoProcessor().sample_frames(metadata, num_frames=wanted)
    frames = [np.full((1, 1, 3), index, dtype=np.uint8) for index in range(there)]
    assert [int(frame[0, 0, 0]) for frame in sample_frames(frames, wanted)] == theirs


def test_a_model_of_all_frames_gets_all_frames() -> None:
    frames = [np.full((1, 1, 3), index, dtype=np.uint8) for index in range(3)]
    assert len(sample_frames(frames, None)) == 3
    assert [int(frame[0, 0, 0]) for frame in sample_frames(frames, 1)] == [0]


@given(keys=st.lists(st.integers(0, 4)), size=st.integers(1, 5))
def test_batches_hold_equals_only_and_everything_once(keys: list[int], size: int) -> None:
    batches = list(batches_of_equals(keys, size))
    assert sorted(position for batch in batches for position in batch) == list(range(len(keys)))
    assert all(len(batch) <= size and len({keys[position] for position in batch}) == 1 for batch in batches)
