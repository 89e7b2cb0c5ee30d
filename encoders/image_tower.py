"""The image tower of Perception Encoder: one vector per image.

PE-Core and PE-AV use towers of the same architecture. If their weights are equal, one pass serves both:
`have_equal_weights` compares them, nothing is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image
from torch import nn

from pesearch.encoders.device import AdaptiveBatches, inference
from pesearch.types import FloatArray, ImageArray

FRAME_BATCH_SIZES = {"cuda": 64, "mps": 16, "cpu": 4}
"""On a CPU 4 take 0.94 (PE-Core-B) and 0.99 (PE-Core-L) of the time of 2; larger batches gain nothing."""

Resize = Callable[[ImageArray, int], ImageArray]
"""Resizes an RGB image uint8 [H, W, 3] to [size, size, 3]."""


class ImageTower:
    """An image tower on a device, for square images of `size` pixels."""

    def __init__(
        self,
        network: nn.Module,
        compute: Callable[[torch.Tensor], torch.Tensor],
        resize: Resize,
        size: int,
        width: int,
        device: str,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """`network` holds weights of `dtype`; `compute` takes [B, 3, size, size] of it in -1..1 to [B, width]."""
        self.network = network
        self._dtype = dtype
        self.size, self.width = size, width
        self._compute = compute
        self._resize = resize
        self._device = device
        self.batches = AdaptiveBatches("frames", device, FRAME_BATCH_SIZES)

    def embed(self, images: Sequence[ImageArray]) -> FloatArray:
        """RGB images uint8 [H, W, 3] of any size to float32 [n, width] of unit length. Raises DeviceError."""
        return self.encode([self.resize(image) for image in images])

    def resize(self, image: ImageArray) -> ImageArray:
        """An RGB image uint8 [H, W, 3] resized to [size, size, 3], ignoring its aspect ratio. Thread-safe."""
        return self._resize(image, self.size)

    def encode(self, frames: Sequence[ImageArray]) -> FloatArray:
        """RGB uint8 [size, size, 3] to float32 [n, width] of unit length. An array given twice is computed once."""
        distinct = {id(frame): frame for frame in frames}
        vectors = dict(zip(distinct, self.batches.run(list(distinct.values()), self._encode), strict=True))
        if not vectors:
            return np.empty((0, self.width), dtype=np.float32)
        return np.stack([vectors[id(frame)] for frame in frames])

    def _encode(self, frames: Sequence[ImageArray]) -> list[FloatArray]:
        with inference(self._device):
            pixels = torch.from_numpy(np.stack(frames)).to(self._device, non_blocking=self._device != "mps")
            scaled = (pixels.permute(0, 3, 1, 2).float() - 127.5) / 127.5
            vectors = nn.functional.normalize(self._compute(scaled.contiguous().to(self._dtype)).float(), dim=-1)
            return list(vectors.cpu().numpy())


def have_equal_weights(one: nn.Module, other: nn.Module) -> bool:
    """Whether two networks have the same parameters and buffers, by name, shape and value."""
    weights, others = one.state_dict(), other.state_dict()
    return weights.keys() == others.keys() and all(
        weight.shape == others[name].shape and bool(weight.equal(others[name].to(weight.device)))
        for name, weight in weights.items()
    )


def resize_like_transformers(image: ImageArray, size: int) -> ImageArray:
    """Bilinear resize by torch with antialiasing, exactly as PE-AV's video processor computes it."""
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    resized = nn.functional.interpolate(pixels, (size, size), mode="bilinear", align_corners=False, antialias=True)
    result: ImageArray = resized[0].permute(1, 2, 0).contiguous().numpy()
    return result


def resize_like_open_clip(image: ImageArray, size: int) -> ImageArray:
    """Bilinear resize by PIL, as open_clip does it for PE-Core; some values differ by 1 from torch's."""
    return np.array(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))
