"""The audio transformer of PE-A-Frame, behind the codec, as transformers computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pesearch.encoders.numpy_models.layers import (
    attention,
    linear,
    rms_norm,
    rotate_neighbours,
    rotation,
    silu,
    split_heads,
)
from pesearch.encoders.numpy_models.mapped_weights import MappedWeights
from pesearch.encoders.numpy_models.unsupported import UnsupportedModel
from pesearch.types import FloatArray

DEFAULTS: Mapping[str, Any] = {
    "num_hidden_layers": 6,
    "num_attention_heads": 14,
    "rms_norm_eps": 1e-5,
    "rope_theta": 20_000.0,
}
"""What transformers assumes for entries that the configuration lacks."""

REQUIRED: Mapping[str, Any] = {
    "model_type": "pe_audio_encoder",
    "hidden_act": "silu",
    "attention_bias": False,
    "rope_scaling": None,
}
"""Entries that may be missing, but have no other value."""

GROUP_NORM_EPSILON = 1e-5
"""torch's own: no configuration has it."""


@dataclass(frozen=True, slots=True)
class AudioTransformerConfig:
    """`theta`: the base of the rotary position embedding."""

    layers: int
    heads: int
    epsilon: float
    theta: float

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> AudioTransformerConfig:
        """From the `audio_config` of a model. Raises UnsupportedModel."""
        if wrong := [name for name, value in REQUIRED.items() if config.get(name, value) != value]:
            raise UnsupportedModel(f"audio transformer with {wrong[0]} {config[wrong[0]]!r}")
        known = {**DEFAULTS, **config}
        heads, rope = known["num_attention_heads"], config.get("rope_parameters") or {}
        if rope.get("rope_type", "default") != "default" or (known.get("num_key_value_heads") or heads) != heads:
            raise UnsupportedModel(f"audio transformer with {rope!r} and {known['num_key_value_heads']} key heads")
        theta = rope.get("rope_theta", known["rope_theta"])
        return cls(known["num_hidden_layers"], heads, known["rms_norm_eps"], theta)


class AudioTransformer:
    """The transformer whose weights have the given prefix."""

    def __init__(self, config: AudioTransformerConfig, weights: MappedWeights, prefix: str) -> None:
        self._config = config
        self._weights = weights
        self._prefix = prefix

    def states(self, features: FloatArray) -> FloatArray:
        """Codec features [batch, steps, dim] to states [batch, steps, width]."""
        embedded = linear(features, self._of("embedder.data_proj.weight"), self._of("embedder.data_proj.bias"))
        first = self._of("patch_embedder.class_embedding")
        states = np.concatenate([np.broadcast_to(first, (len(embedded), *first.shape[1:])), embedded], axis=1)
        states = states + self._convolve(self._convolve(states, "block1"), "block2")
        for number in range(self._config.layers):
            states = states + self._attend(self._norm(states, f"layers.{number}.input_layernorm"), number)
            states = states + self._transform(self._norm(states, f"layers.{number}.post_attention_layernorm"), number)
        return linear(self._norm(states, "norm"), self._of("output.weight"))[:, 1:]

    def _convolve(self, states: FloatArray, block: str) -> FloatArray:
        """One group norm over steps and width, SiLU, and a convolution over three steps."""
        name = f"patch_embedder.resnet_block.{block}"
        centred = states - states.mean(axis=(1, 2), keepdims=True)
        centred /= np.sqrt(np.square(centred).mean(axis=(1, 2), keepdims=True) + np.float32(GROUP_NORM_EPSILON))
        active = silu(centred * self._of(f"{name}.groupnorm.weight") + self._of(f"{name}.groupnorm.bias"))
        kernel = self._of(f"{name}.project.weight")
        padded, steps = np.pad(active, ((0, 0), (1, 1), (0, 0))), states.shape[1]
        parts = (linear(padded[:, at : at + steps], kernel[:, :, at]) for at in range(3))
        total: FloatArray = sum(parts, start=self._of(f"{name}.project.bias"))
        return total

    def _attend(self, states: FloatArray, number: int) -> FloatArray:
        query, key, value = (
            split_heads(linear(states, self._of(f"layers.{number}.self_attn.{name}_proj.weight")), self._config.heads)
            for name in "qkv"
        )
        angles = rotation(states.shape[1], query.shape[-1], self._config.theta)
        query, key = (
            rotate_neighbours(self._norm(states, f"layers.{number}.self_attn.{name}_norm"), angles)
            for name, states in (("q", query), ("k", key))
        )
        return linear(attention(query, key, value), self._of(f"layers.{number}.self_attn.o_proj.weight"))

    def _transform(self, states: FloatArray, number: int) -> FloatArray:
        gate, up = (linear(states, self._of(f"layers.{number}.mlp.{name}_proj.weight")) for name in ("gate", "up"))
        return linear(silu(gate) * up, self._of(f"layers.{number}.mlp.down_proj.weight"))

    def _norm(self, states: FloatArray, name: str) -> FloatArray:
        return rms_norm(states, self._of(f"{name}.weight"), self._config.epsilon)

    def _of(self, name: str) -> FloatArray:
        return self._weights[f"{self._prefix}{name}"]
