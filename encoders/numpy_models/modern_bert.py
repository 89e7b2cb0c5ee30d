"""ModernBERT (Warner et al. 2024), the text tower of PE-AV and PE-A-Frame, as transformers computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pesearch.encoders.numpy_models.layers import (
    attention,
    gelu,
    layer_norm,
    linear,
    rotate_halves,
    rotation,
    split_heads,
)
from pesearch.encoders.numpy_models.mapped_weights import MappedWeights
from pesearch.encoders.numpy_models.unsupported import UnsupportedModel
from pesearch.types import FloatArray

SLIDING = "sliding_attention"

DEFAULTS: Mapping[str, Any] = {
    "num_hidden_layers": 22,
    "num_attention_heads": 16,
    "norm_eps": 1e-5,
    "local_attention": 128,
    "global_attn_every_n_layers": 3,
    "global_rope_theta": 160_000.0,
    "local_rope_theta": 10_000.0,
}
"""What transformers assumes for entries that the configuration of a PE-AV lacks."""

REQUIRED: Mapping[str, Any] = {
    "model_type": "modernbert",
    "hidden_activation": "gelu",
    "attention_bias": False,
    "mlp_bias": False,
    "rope_scaling": None,
}
"""Entries that may be missing, but have no other value."""


@dataclass(frozen=True, slots=True)
class ModernBertConfig:
    """`is_sliding` and `theta` (the base of the rotary position embedding) of each layer."""

    heads: int
    epsilon: float
    max_distance: int
    is_sliding: tuple[bool, ...]
    theta: tuple[float, ...]

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> ModernBertConfig:
        """From the `text_config` of a model. Raises UnsupportedModel."""
        if wrong := [name for name, value in REQUIRED.items() if config.get(name, value) != value]:
            raise UnsupportedModel(f"text tower with {wrong[0]} {config[wrong[0]]!r}")
        known = {**DEFAULTS, **config}
        types = config.get("layer_types") or [
            SLIDING if layer % known["global_attn_every_n_layers"] else "full_attention"
            for layer in range(known["num_hidden_layers"])
        ]
        thetas = {"full_attention": known["global_rope_theta"], SLIDING: known["local_rope_theta"]}
        for kind, rope in (config.get("rope_parameters") or {}).items():
            if (rope or {}).get("rope_type", "default") != "default" or kind not in thetas:
                raise UnsupportedModel(f"text tower with {kind} {rope!r}")
            thetas[kind] = (rope or {}).get("rope_theta", thetas[kind])
        return cls(
            heads=known["num_attention_heads"],
            epsilon=known["norm_eps"],
            max_distance=known["local_attention"] // 2,
            is_sliding=tuple(kind == SLIDING for kind in types),
            theta=tuple(thetas[kind] for kind in types),
        )


class ModernBert:
    """The text tower whose weights have the given prefix."""

    def __init__(self, config: ModernBertConfig, weights: MappedWeights, prefix: str) -> None:
        self._config = config
        self._weights = weights
        self._prefix = prefix

    def cls_states(self, tokens: npt.NDArray[np.int64]) -> FloatArray:
        """Token numbers [texts, tokens] to the states of the first token before the final norm, [texts, width].

        That is what Perception Encoder models were trained on.
        """
        states = self._weights.rows(f"{self._prefix}embeddings.tok_embeddings.weight", tokens)
        states = self._norm(states, "embeddings.norm")
        for number in range(len(self._config.is_sliding)):
            before = self._norm(states, f"layers.{number}.attn_norm") if number else states
            states = states + self._attend(before, number)
            states = states + self._transform(self._norm(states, f"layers.{number}.mlp_norm"), number)
        return states[:, 0]

    def _norm(self, states: FloatArray, name: str) -> FloatArray:
        name = f"{self._prefix}{name}"
        return layer_norm(
            states, self._weights[f"{name}.weight"], self._weights.get(f"{name}.bias"), self._config.epsilon
        )

    def _attend(self, states: FloatArray, number: int) -> FloatArray:
        projected = linear(states, self._weight(number, "attn.Wqkv"))
        query, key, value = (split_heads(part, self._config.heads) for part in np.split(projected, 3, axis=-1))
        angles = rotation(states.shape[1], query.shape[-1], self._config.theta[number])
        query, key = rotate_halves(query, angles), rotate_halves(key, angles)
        position = np.arange(states.shape[1])
        visible = abs(position[:, None] - position) <= self._config.max_distance
        attended = attention(query, key, value, visible if self._config.is_sliding[number] else None)
        return linear(attended, self._weight(number, "attn.Wo"))

    def _transform(self, states: FloatArray, number: int) -> FloatArray:
        active, gate = np.split(linear(states, self._weight(number, "mlp.Wi")), 2, axis=-1)
        return linear(gelu(active) * gate, self._weight(number, "mlp.Wo"))

    def _weight(self, number: int, name: str) -> FloatArray:
        return self._weights[f"{self._prefix}layers.{number}.{name}.weight"]
