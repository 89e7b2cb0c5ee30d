"""Media files that are asked with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import QueryError
from pesearch.search.encode.examples import encode_audio, encode_image, encode_video
from pesearch.search.query.language.nodes import Example
from pesearch.types import SpaceName

Read = Callable[[Example, ModelSet], object]


@pytest.mark.parametrize(
    ("read", "name", "says"),
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
def test_what_cannot_be_asked_with_is_said_in_one_line(
    read: Read, name: str, says: str, sample_media: Path, starter: ModelSet
) -> None:
    with pytest.raises(QueryError, match=says) as caught:
        read(Example(sample_media / name), starter)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_picture_cannot_be_asked_with(sample_media: Path, starter: ModelSet, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes((sample_media / "red_ball.png").read_bytes()[:400])
    with pytest.raises(QueryError, match=r"cannot use .* as an example"):
        encode_image(Example(broken), starter)


@pytest.mark.slow
def test_an_example_longer_than_a_window_has_a_vector_for_each(sample_media: Path, starter: ModelSet) -> None:
    vectors = encode_video(Example(sample_media / "six_scenes.mp4"), starter)
    assert {space: rows.shape for space, rows in vectors.alone.items()} == {
        space.name: (4, space.dim) for space in starter.spaces if space.name is not SpaceName.FRAME
    }


@pytest.mark.slow
def test_the_sound_of_a_video_is_that_of_the_video(sample_media: Path, starter: ModelSet) -> None:
    path = Example(sample_media / "bell.mp4")
    alone = encode_audio(path, starter).alone
    assert list(alone) == [SpaceName.AUDIO]
    assert np.allclose(alone[SpaceName.AUDIO], encode_video(path, starter).alone[SpaceName.AUDIO], atol=1e-4)


@pytest.mark.slow
def test_a_video_without_sound_is_asked_with_its_pictures(sample_media: Path, starter: ModelSet) -> None:
    assert list(encode_video(Example(sample_media / "silent_sun.mp4"), starter).alone) == [SpaceName.VIDEO]


@pytest.mark.slow
def test_a_part_of_an_example_is_asked_with_alone(sample_media: Path, starter: ModelSet) -> None:
    path = sample_media / "six_scenes.mp4"
    part = encode_audio(Example(path, 2.0, 8.0), starter).alone[SpaceName.AUDIO]
    whole = encode_audio(Example(path), starter).alone[SpaceName.AUDIO]
    assert (len(part), len(whole)) == (1, 4)
    assert not np.allclose(part[0], whole[0], atol=1e-2)


def test_a_part_behind_the_end_is_an_error(sample_media: Path, starter: ModelSet) -> None:
    with pytest.raises(QueryError, match="it ends at"):
        encode_audio(Example(sample_media / "bell.mp4", 100.0, 120.0), starter)


@pytest.mark.slow
def test_words_beside_an_example_ask_for_what_it_lacks(sample_media: Path, starter: ModelSet) -> None:
    """A sound and words ask for pictures; pictures and words for a sound; another text asks for others."""
    path = Example(sample_media / "bell.mp4")
    sound = encode_audio(path, starter, ["at night", "in a field"]).joint
    assert {text: list(spaces) for text, spaces in sound.items()} == {
        "at night": [SpaceName.VIDEO],
        "in a field": [SpaceName.VIDEO],
    }
    assert not np.allclose(*(spaces[SpaceName.VIDEO] for spaces in sound.values()), atol=1e-2)
    both = encode_video(path, starter, ["at night"]).joint["at night"]
    assert list(both) == [SpaceName.VIDEO, SpaceName.AUDIO]
    assert np.allclose(both[SpaceName.VIDEO], sound["at night"][SpaceName.VIDEO], atol=1e-4)
    silent = encode_video(Example(sample_media / "silent_sun.mp4"), starter, ["a siren"]).joint["a siren"]
    assert list(silent) == [SpaceName.AUDIO]
