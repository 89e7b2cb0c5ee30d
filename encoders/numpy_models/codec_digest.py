"""The digest of a codec, as `Codec.digest` computes it from a loaded model."""

from __future__ import annotations

import hashlib

import numpy as np

from pesearch.encoders.numpy_models.mapped_weights import MappedWeights

PE_A_FRAME_CODEC = "audio_encoder.embedder."
"""Prefix of the codec's weights in PE-A-Frame."""


def codec_digest(weights: MappedWeights, prefix: str) -> str:
    """Hash of the weights of the codec under `prefix`, 16 hexadecimal digits."""
    blocks = {name.split(".")[1] for name in _below(weights, f"{prefix}dac_encoder.") if name.startswith("block.")}
    last = max(blocks, key=int, default="")
    parts = {f"_fine.{int(block) + 1}.": f"dac_encoder.block.{block}." for block in blocks - {last}}
    parts |= {"_fine.0.": "dac_encoder.conv1.", "_coarse.0.": f"dac_encoder.block.{last}."}
    parts |= {"_coarse.1.": "dac_encoder.snake1.", "_coarse.2.": "dac_encoder.conv2.", "_coarse.3.": "bottleneck."}
    names = {
        part + name: f"{prefix}{stored}{name}"
        for part, stored in parts.items()
        for name in _below(weights, f"{prefix}{stored}")
    }
    digest = hashlib.blake2b(digest_size=8)
    for _, name in sorted(names.items()):
        digest.update(np.ascontiguousarray(weights[name]).data)
    return digest.hexdigest()


def _below(weights: MappedWeights, prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name in weights.names(prefix)]
