"""PE-Core through open_clip: pictures and texts to one space, where the cosine compares them.

What open_clip would get silently wrong is stated here: pictures are squeezed to a square with bilinear interpolation
and scaled to -1..1 (mean and deviation 0.5), as PE-Core was trained. open_clip does that for weights it knows by name,
and falls back to OpenAI's values, bicubic and a centre crop, for a folder that does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError

from pesearch.encoders.device import batch_size, computing, place
from pesearch.encoders.folders import ModelFolder
from pesearch.encoders.libraries import load_open_clip, silent
from pesearch.errors import ModelDamaged
from pesearch.types import FloatArray, ImageArray

PREPROCESSING = {
    "image_mean": (0.5, 0.5, 0.5),
    "image_std": (0.5, 0.5, 0.5),
    "image_interpolation": "bilinear",
    "image_resize_mode": "squash",
}
"""Source: open_clip's own configuration of the PE-Core weights, and perception_models' image transform."""

TEXTS_AT_ONCE = 64


class PeCore:
    """A PE-Core model on a device."""

    def __init__(self, folder: ModelFolder, device: str) -> None:
        self.device = device
        self.dim = folder.dim
        model, self._preprocess, self._tokenize = _load(folder)
        self._model = place(model, device)

    def embed_frames(self, frames: Sequence[ImageArray]) -> FloatArray:
        """RGB pictures uint8 [H, W, 3] of any sizes to float32 [n, dim] of unit length. Raises DeviceError."""
        size, count = batch_size(self.device), len(frames)
        return self._collect(self._embed_pictures(frames[start : start + size]) for start in range(0, count, size))

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """Texts to float32 [n, dim] of unit length. Of a long text the first 30 tokens are read. Raises DeviceError."""
        size, count = TEXTS_AT_ONCE, len(texts)
        return self._collect(self._embed_texts(texts[start : start + size]) for start in range(0, count, size))

    def _embed_pictures(self, frames: Sequence[ImageArray]) -> torch.Tensor:
        pixels = torch.stack([self._preprocess(Image.fromarray(frame)) for frame in frames])
        with computing(self.device):
            return self._unit_length(self._model.encode_image(pixels.to(self.device)))

    def _embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        tokens = self._tokenize(list(texts)).to(self.device)
        with computing(self.device):
            return self._unit_length(self._model.encode_text(tokens))

    def _unit_length(self, vectors: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(vectors.float(), dim=-1).cpu()

    def _collect(self, batches: Iterable[torch.Tensor]) -> FloatArray:
        vectors = [batch.numpy() for batch in batches]
        return np.concatenate(vectors) if vectors else np.empty((0, self.dim), dtype=np.float32)


def _load(folder: ModelFolder) -> tuple[Any, Any, Any]:
    """The model in evaluation mode, its preprocessing of one PIL image, its tokenizer."""
    open_clip = load_open_clip()
    name = f"local-dir:{folder.path}"
    try:
        with silent():
            model, _, preprocess = open_clip.create_model_and_transforms(name, **PREPROCESSING)
            tokenize = open_clip.get_tokenizer(name)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelDamaged(f"{folder.path} cannot be loaded as PE-Core ({reason}): fetch it again.") from error
    size = model.visual.image_size
    if folder.image_size is not None and size != (folder.image_size, folder.image_size):
        raise ModelDamaged(f"{folder.path} wants pictures of {size}, not {folder.image_size} pixels: fetch it again.")
    return model.eval(), preprocess, tokenize
