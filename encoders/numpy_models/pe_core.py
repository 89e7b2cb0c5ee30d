"""The text tower of PE-Core, as open_clip computes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pesearch.encoders.io_types import normalize
from pesearch.encoders.model_files import ModelFolder, read_json, weight_files
from pesearch.encoders.numpy_models.clip_tokenizer import ClipTokenizer
from pesearch.encoders.numpy_models.cores import embed_in_batches
from pesearch.encoders.numpy_models.layers import attention, gelu, layer_norm, linear, split_heads
from pesearch.encoders.numpy_models.mapped_weights import MappedWeights
from pesearch.encoders.numpy_models.unsupported import UnsupportedModel
from pesearch.types import FloatArray

KNOWN = {"context_length", "vocab_size", "width", "heads", "layers"}
"""Entries of open_clip's `text_cfg` that are heeded. With any other the text tower is another one."""

EPSILON = 1e-5
"""Of the layer norms: torch's default."""


class NumpyPeCoreText:
    """The text tower in a folder; `embed_texts` equals that of `PeCore`."""

    def __init__(self, folder: ModelFolder, threads: int) -> None:
        """Raises UnsupportedModel, ModelDamaged."""
        model = read_json(folder.path / "open_clip_config.json").get("model_cfg", {})
        config = model.get("text_cfg", {})
        if other := sorted(config.keys() - KNOWN) + [name for name in ("quick_gelu",) if model.get(name)]:
            raise UnsupportedModel(f"text tower with {other[0]}")
        self.dim = folder.dim
        self._heads, self._layers = config.get("heads", 8), config.get("layers", 12)
        self._threads = threads
        self._tokenize = ClipTokenizer(config.get("context_length", 77))
        self._weights = MappedWeights(weight_files(folder.path, "pe_core"))
        if "text.token_embedding.weight" not in self._weights:
            raise UnsupportedModel("text tower under other names")

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """Texts to float32 [n, dim] of unit length. Raises ModelDamaged."""
        return embed_in_batches(self._tokenize(texts), self._embed, self.dim, self._threads)

    def _embed(self, tokens: npt.NDArray[np.int64]) -> FloatArray:
        """Token numbers [texts, tokens] to vectors: the state of the last token sees all others."""
        visible = np.tri(tokens.shape[1], dtype=np.bool_)
        states = self._weights.rows("text.token_embedding.weight", tokens)
        states = states + self._weights["text.positional_embedding"][: tokens.shape[1]]
        for number in range(self._layers):
            name = f"text.transformer.resblocks.{number}"
            projected = self._linear(self._norm(states, f"{name}.ln_1"), f"{name}.attn.in_proj_")
            query, key, value = (split_heads(part, self._heads) for part in np.split(projected, 3, axis=-1))
            states = states + self._linear(attention(query, key, value, visible), f"{name}.attn.out_proj.")
            inner = gelu(self._linear(self._norm(states, f"{name}.ln_2"), f"{name}.mlp.c_fc."))
            states = states + self._linear(inner, f"{name}.mlp.c_proj.")
        last = self._norm(states[:, -1], "text.ln_final")
        return normalize(last @ self._weights["text.text_projection"])

    def _linear(self, states: FloatArray, name: str) -> FloatArray:
        return linear(states, self._weights[f"{name}weight"], self._weights[f"{name}bias"])

    def _norm(self, states: FloatArray, name: str) -> FloatArray:
        return layer_norm(states, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"], EPSILON)
