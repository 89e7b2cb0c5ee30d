"""PE-Core through open_clip: pictures and texts to one space, where the cosine compares them.

Pictures are squeezed to a square and scaled to -1..1 by our own `resize` and `ImageTower`, as PE-Core was trained:
open_clip does that for weights it knows by name, and falls back to a centre crop and OpenAI's values for a folder that
does not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError

from pesearch.encoders.device import computing, place
from pesearch.encoders.image_tower import ImageTower, resize_like_open_clip, same_weights
from pesearch.encoders.lazy_imports import TOKENIZING, SkipParameterInit, load_open_clip, silent
from pesearch.encoders.model_files import ModelFolder
from pesearch.errors import ModelDamaged, first_line
from pesearch.types import FloatArray

TEXTS_AT_ONCE = 64


class PeCore:
    """A PE-Core model on a device. `tower` makes the vectors of pictures; one of equal weights may take its place."""

    def __init__(self, folder: ModelFolder, device: str) -> None:
        self.device = device
        self.dim = folder.dim
        model, self._tokenize = _load(folder)
        self._model = place(model, device)
        visual = model.visual
        self.tower = ImageTower(visual.trunk, visual, resize_like_open_clip, visual.image_size[0], self.dim, device)

    def share(self, tower: ImageTower) -> bool:
        """Gives up its own tower for one that holds the same weights. Whether it does."""
        visual = self._model.visual
        heads = list(visual.head.parameters())
        if heads or tower.size != self.tower.size or not same_weights(tower.network, visual.trunk):
            return False
        self.tower, self._model.visual = tower, None
        return True

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """Texts to float32 [n, dim] of unit length. Of a long text the first 30 tokens are read. Raises DeviceError."""
        parts = [np.empty((0, self.dim), dtype=np.float32)]
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            with TOKENIZING:
                tokens = self._tokenize(list(texts[start : start + TEXTS_AT_ONCE])).to(self.device)
            with computing(self.device):
                vectors = self._model.encode_text(tokens).float()
                parts.append(torch.nn.functional.normalize(vectors, dim=-1).cpu().numpy())
        return np.concatenate(parts)


def _load(folder: ModelFolder) -> tuple[Any, Any]:
    """The model in evaluation mode, and its tokenizer."""
    open_clip = load_open_clip()
    name = f"local-dir:{folder.path}"
    try:
        with silent(), SkipParameterInit():
            model = open_clip.create_model(name)
            tokenize = open_clip.get_tokenizer(name)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = first_line(error)
        raise ModelDamaged(f"{folder.path} cannot be loaded as PE-Core ({reason}): fetch it again.") from error
    size = model.visual.image_size
    if folder.image_size is not None and size != (folder.image_size, folder.image_size):
        raise ModelDamaged(f"{folder.path} wants pictures of {size}, not {folder.image_size} pixels: fetch it again.")
    return model.eval(), tokenize
