"""Resized pixels equal those of the models' own processors, and vectors have unit length."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from pesearch.encoders.image_tower import (
    ImageTower,
    have_equal_weights,
    resize_like_open_clip,
    resize_like_transformers,
)
from pesearch.encoders.lazy_imports import load_open_clip, load_transformers
from pesearch.types import ImageArray

SIZE = 32


@pytest.fixture(scope="module", params=[(48, 90), (300, 200), (7, 5)], ids=str)
def image(request: pytest.FixtureRequest) -> ImageArray:
    height, width = request.param
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_pe_avs_pixels_are_those_of_its_video_processor(image: ImageArray) -> None:
    processor = load_transformers().PeVideoVideoProcessor(
        do_resize=True, size={"height": SIZE, "width": SIZE}, do_rescale=False, do_normalize=False
    )
    video = torch.from_numpy(image).permute(2, 0, 1)[None]
    (theirs,) = processor([video], return_tensors="pt", do_sample_frames=False)["pixel_values_videos"][0]
    np.testing.assert_array_equal(resize_like_transformers(image, SIZE), theirs.permute(1, 2, 0).numpy())


def test_pe_cores_pixels_are_those_of_open_clip(image: ImageArray) -> None:
    transform = load_open_clip().image_transform(
        SIZE, is_train=False, mean=(0.0,) * 3, std=(1.0,) * 3, resize_mode="squash", interpolation="bilinear"
    )
    theirs = (transform(Image.fromarray(image)) * 255).round().byte().permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(resize_like_open_clip(image, SIZE), theirs)


def test_pixels_are_scaled_to_minus_one_to_one_and_vectors_to_unit_length() -> None:
    seen: list[torch.Tensor] = []

    def compute(pixels: torch.Tensor) -> torch.Tensor:
        seen.append(pixels)
        return torch.tensor([[3.0, 4.0]] * len(pixels))

    tower = ImageTower(nn.Identity(), compute, resize_like_open_clip, 2, 2, "cpu")
    vectors = tower.embed([np.full((4, 4, 3), level, dtype=np.uint8) for level in (0, 255)])
    assert [pixels.unique().tolist() for pixels in torch.cat(seen)] == [[-1.0], [1.0]]
    np.testing.assert_allclose(vectors, [[0.6, 0.8]] * 2, rtol=1e-6)


def test_weights_are_compared_by_name_shape_and_value() -> None:
    one, same, larger = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 3)
    same.load_state_dict(one.state_dict())
    assert have_equal_weights(one, same)
    assert not have_equal_weights(one, larger)
    assert not have_equal_weights(one, nn.Sequential(same))
    with torch.no_grad():
        same.bias[0] += 1e-6
    assert not have_equal_weights(one, same)
