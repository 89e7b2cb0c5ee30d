"""The image tower of Perception Encoder: pictures to one vector each.

PE-Core's vector of a picture and what PE-AV makes of a frame come from towers of one architecture. Where their weights
are equal one pass serves both: `same_weights` compares them, nothing is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image
from torch import nn

from pesearch.encoders.device import Batches, computing
from pesearch.types import FloatArray, ImageArray

FRAMES_AT_ONCE = {"cuda": 64, "cpu": 2}
"""A CPU gains nothing from many at a time, and they cost memory."""


Resize = Callable[[ImageArray, int], ImageArray]


class ImageTower:
    """An image tower on a device, for square pictures of `size` pixels."""

    def __init__(
        self,
        network: nn.Module,
        compute: Callable[[torch.Tensor], torch.Tensor],
        resize: Resize,
        size: int,
        width: int,
        device: str,
    ) -> None:
        """`network` holds the weights; `compute` takes float32 [B, 3, size, size] in -1..1 to [B, width]."""
        self.network = network
        self.size, self.width = size, width
        self._compute = compute
        self._resize = resize
        self._device = device
        self.batches = Batches("frames", device, FRAMES_AT_ONCE)

    def embed(self, images: Sequence[ImageArray]) -> FloatArray:
        """RGB pictures uint8 [H, W, 3] of any sizes to float32 [n, width] of unit length. Raises DeviceError."""
        return self.encode([self.resize(image) for image in images])

    def resize(self, image: ImageArray) -> ImageArray:
        """An RGB picture uint8 [H, W, 3] as the tower takes it, [size, size, 3]. For any thread."""
        return self._resize(image, self.size)

    def encode(self, squares: Sequence[ImageArray]) -> FloatArray:
        """RGB uint8 [size, size, 3] to float32 [n, width] of unit length. A picture given twice is computed once."""
        different = {id(square): square for square in squares}
        vectors = dict(zip(different, self.batches.run(list(different.values()), self._encode), strict=True))
        if not vectors:
            return np.empty((0, self.width), dtype=np.float32)
        return np.stack([vectors[id(square)] for square in squares])

    def _encode(self, squares: Sequence[ImageArray]) -> list[FloatArray]:
        with computing(self._device):
            pixels = torch.from_numpy(np.stack(squares)).to(self._device, non_blocking=True)
            scaled = (pixels.permute(0, 3, 1, 2).float() - 127.5) / 127.5
            vectors = nn.functional.normalize(self._compute(scaled.contiguous()).float(), dim=-1)
            return list(vectors.cpu().numpy())


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    """Whether two networks have the same parameters and buffers, by name, shape and value."""
    weights, others = one.state_dict(), other.state_dict()
    return weights.keys() == others.keys() and all(
        weight.shape == others[name].shape and bool(weight.equal(others[name].to(weight.device)))
        for name, weight in weights.items()
    )


def resize_like_transformers(image: ImageArray, size: int) -> ImageArray:
    """An RGB picture squeezed to a square by torch, bilinear: the very computation of PE-AV's video processor."""
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    squeezed = nn.functional.interpolate(pixels, (size, size), mode="bilinear", align_corners=False, antialias=True)
    result: ImageArray = squeezed[0].permute(1, 2, 0).contiguous().numpy()
    return result


def resize_like_open_clip(image: ImageArray, size: int) -> ImageArray:
    """The same by PIL, as open_clip does it for PE-Core: it rounds here and there to the next of 256 levels."""
    return np.array(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))
