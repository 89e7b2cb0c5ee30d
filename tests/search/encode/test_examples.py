"""Encoding of example files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import QueryError
from pesearch.search.encode.examples import ExampleVectors, encode_audio, encode_image, encode_video
from pesearch.search.query.language.nodes import Example
from pesearch.types import SpaceName

Read = Callable[[Example, ModelSet], object]


@pytest.mark.parametrize(
    ("read", "name", "message"),
    [
        (encode_audio, "silent_sun.mp4", "no sound"),
        (encode_audio, "red_ball.png", "no sound"),
        (encode_audio, "truths.json", r"cannot use .* as an example"),
        (encode_video, "siren_alone.wav", "not a video"),
        (encode_video, "red_ball.png", "not a video"),
        (encode_image, "bell.mp4", "not an image"),
        (encode_image, "truths.json", "not an image"),
        (encode_image, "no_such_file.png", r"cannot use .* as an example"),
        (encode_audio, "no_such_file.wav", r"cannot use .* as an example"),
        (encode_video, "no_such_file.mp4", r"cannot use .* as an example"),
    ],
)
def test_an_unsuitable_example_is_an_error_of_one_line(
    read: Read, name: str, message: str, sample_media: Path, starter: ModelSet
) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        read(Example(sample_media / name), starter)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_image_is_an_error(sample_media: Path, starter: ModelSet, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes((sample_media / "red_ball.png").read_bytes()[:400])
    with pytest.raises(QueryError, match=r"cannot use .* as an example"):
        encode_image(Example(broken), starter)


SCENES = "six_scenes.mp4"


@pytest.fixture(scope="module")
def scenes(sample_media: Path, starter: ModelSet) -> ExampleVectors:
    """The first 12 s of a video: two windows."""
    return encode_video(Example(sample_media / SCENES, 0.0, 12.0), starter)


@pytest.fixture(scope="module")
def bell(sample_media: Path, starter: ModelSet) -> ExampleVectors:
    return encode_video(Example(sample_media / "bell.mp4"), starter, ["at night"])


@pytest.mark.slow
def test_a_long_example_has_a_vector_per_window(scenes: ExampleVectors, starter: ModelSet) -> None:
    assert {space: rows.shape for space, rows in scenes.alone.items()} == {
        space.name: (2, space.dim) for space in starter.spaces if space.name is not SpaceName.FRAME
    }


@pytest.mark.slow
def test_a_part_of_an_example_is_encoded_alone(scenes: ExampleVectors, sample_media: Path, starter: ModelSet) -> None:
    whole = scenes.alone[SpaceName.AUDIO]
    part = encode_audio(Example(sample_media / SCENES, 2.0, 8.0), starter).alone[SpaceName.AUDIO]
    assert (len(part), len(whole)) == (1, 2)
    assert not np.allclose(part[0], whole[0], atol=1e-2)
    window = encode_audio(Example(sample_media / SCENES, 2.0, 12.0), starter).alone[SpaceName.AUDIO]
    assert np.allclose(window, whole[1:], atol=1e-4)


def test_a_part_after_the_end_is_an_error(sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(QueryError, match="it ends at"):
        encode_audio(Example(sample_media / "bell.mp4", 100.0, 120.0), starter)


@pytest.mark.slow
def test_the_sound_of_a_video_and_its_joint_vectors(
    bell: ExampleVectors, sample_media: Path, starter: ModelSet
) -> None:
    """Joint vectors are in the spaces that the example lacks: sound with text queries video, pictures with text query
    audio; another text gives other vectors."""
    sound = encode_audio(Example(sample_media / "bell.mp4"), starter, ["at night", "in a field"])
    assert list(sound.alone) == [SpaceName.AUDIO]
    assert np.allclose(sound.alone[SpaceName.AUDIO], bell.alone[SpaceName.AUDIO], atol=1e-4)
    assert {text: list(spaces) for text, spaces in sound.joint.items()} == {
        "at night": [SpaceName.VIDEO],
        "in a field": [SpaceName.VIDEO],
    }
    assert not np.allclose(*(spaces[SpaceName.VIDEO] for spaces in sound.joint.values()), atol=1e-2)
    both = bell.joint["at night"]
    assert list(both) == [SpaceName.VIDEO, SpaceName.AUDIO]
    assert np.allclose(both[SpaceName.VIDEO], sound.joint["at night"][SpaceName.VIDEO], atol=1e-4)


@pytest.mark.slow
def test_a_silent_video_is_encoded_by_its_pictures(sample_media: Path, starter: ModelSet) -> None:
    silent = encode_video(Example(sample_media / "silent_sun.mp4"), starter, ["a siren"])
    assert list(silent.alone) == [SpaceName.VIDEO]
    assert list(silent.joint["a siren"]) == [SpaceName.AUDIO]
