"""PE-Core through open_clip: images and texts to one space, compared by cosine.

`ImageTower` resizes images to a square, ignoring their aspect ratio, and scales them to -1..1, as PE-Core was trained.
open_clip does so only for weights it knows by name, and falls back to a centre crop and OpenAI's mean and deviation for
a folder whose configuration does not say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError

from pesearch.encoders.device import inference, move_to, weights_dtype
from pesearch.encoders.device_selection import Precision
from pesearch.encoders.image_tower import ImageTower, have_equal_weights, resize_like_open_clip
from pesearch.encoders.lazy_imports import TOKENIZER_LOCK, load_open_clip, suppress_output
from pesearch.encoders.model_files import ModelFolder, remedy
from pesearch.encoders.parameter_init import SkipParameterInit
from pesearch.errors import ModelDamaged, first_line
from pesearch.types import FloatArray

TEXT_BATCH_SIZE = 64
"""Texts tokenized and embedded at once."""


class PeCore:
    """A PE-Core model on a device. `tower` embeds images; another tower of equal weights may replace it (`share`)."""

    def __init__(self, folder: ModelFolder, device: str, precision: Precision = Precision.FLOAT32) -> None:
        """`precision` is that of images."""
        self.device = device
        self.dim = folder.dim
        self._folder = folder
        model = _load(folder)
        self._model = move_to(model, device)
        dtype = weights_dtype(device, precision)
        visual, size = model.visual.to(dtype), model.visual.image_size[0]
        self.tower = ImageTower(visual.trunk, visual, resize_like_open_clip, size, self.dim, device, dtype)

    def share(self, tower: ImageTower) -> bool:
        """Replace the own tower by `tower` if both have the same weights and size. Returns whether it did."""
        visual = self._model.visual
        heads = list(visual.head.parameters())
        if heads or tower.size != self.tower.size or not have_equal_weights(tower.network, visual.trunk):
            return False
        self.tower, self._model.visual = tower, None
        return True

    @cached_property
    def _tokenize(self) -> Any:
        """The tokenizer, of 26 MB: indexing does without."""
        with _damage_as_error(self._folder):
            return load_open_clip().get_tokenizer(_name(self._folder))

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """Texts to float32 [n, dim] of unit length. Texts are truncated to 30 tokens. Raises DeviceError,
        ModelDamaged."""
        parts = [np.empty((0, self.dim), dtype=np.float32)]
        for start in range(0, len(texts), TEXT_BATCH_SIZE):
            with TOKENIZER_LOCK:
                tokens = self._tokenize(list(texts[start : start + TEXT_BATCH_SIZE])).to(self.device)
            with inference(self.device):
                vectors = self._model.encode_text(tokens).float()
                parts.append(torch.nn.functional.normalize(vectors, dim=-1).cpu().numpy())
        return np.concatenate(parts)


def _load(folder: ModelFolder) -> Any:
    """The model in evaluation mode."""
    with _damage_as_error(folder), SkipParameterInit():
        model = load_open_clip().create_model(_name(folder))
    size = model.visual.image_size
    if folder.image_size is not None and size != (folder.image_size, folder.image_size):
        raise ModelDamaged(
            f"{folder.path} takes images of {size}, not {folder.image_size} pixels: {remedy(folder.path)}."
        )
    return model.eval()


def _name(folder: ModelFolder) -> str:
    """The name of a folder for open_clip."""
    return f"local-dir:{folder.path}"


@contextmanager
def _damage_as_error(folder: ModelFolder) -> Iterator[None]:
    """Turns the errors of open_clip into ModelDamaged, and silences it."""
    load_open_clip()
    try:
        with suppress_output():
            yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = first_line(error)
        raise ModelDamaged(f"{folder.path} cannot be loaded as PE-Core ({reason}): {remedy(folder.path)}.") from error
