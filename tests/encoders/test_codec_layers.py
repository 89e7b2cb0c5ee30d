"""The codec's layers for a CPU compute what transformers' modules compute, in tiles and in bfloat16."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from pesearch.encoders import codec_layers
from pesearch.encoders.codec_layers import CodecLayers
from pesearch.encoders.lazy_imports import load_transformers


@pytest.fixture(scope="module")
def encoder() -> Any:
    """A DAC encoder whose alphas are of both signs, tiny and zero."""
    transformers = load_transformers()
    config = transformers.DacConfig(encoder_hidden_size=4, downsampling_ratios=[2, 4], codebook_dim=8)
    built = transformers.PeAudioEncoder(transformers.PeAudioEncoderConfig(dac_config=config, num_hidden_layers=1))
    torch.manual_seed(3)
    with torch.no_grad():
        for name, parameter in built.embedder.named_parameters():
            parameter.normal_(0.5 if "alpha" in name else 0.0, 0.3)
        built.embedder.dac_encoder.block[0].res_unit2.snake2.alpha[0, :2, 0] = torch.tensor([0.0, -1e-4])
    return built.embedder.dac_encoder.eval()


def error_of(layers: nn.Module, modules: nn.Module) -> float:
    """Largest difference of two batches of noise, as a share of the standard deviation."""
    noise = torch.rand(2, 1, 800, generator=torch.Generator().manual_seed(4)) - 0.5
    with torch.inference_mode():
        expected, found = modules(noise), layers(noise)
    assert found.shape == expected.shape
    assert found.dtype == torch.float32
    return float((found - expected).abs().max() / expected.std())


@pytest.mark.parametrize("tile_bytes", [1, codec_layers.TILE_BYTES])
def test_layers_equal_the_modules(encoder: Any, tile_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_layers, "TILE_BYTES", tile_bytes)
    modules = nn.Sequential(encoder.conv1, *encoder.block, encoder.snake1, encoder.conv2)
    assert error_of(CodecLayers([*modules], torch.float32), modules) < 1e-5


def test_layers_in_bfloat16_round_only_operands(encoder: Any) -> None:
    modules = nn.Sequential(encoder.conv1, *encoder.block, encoder.snake1, encoder.conv2)
    assert 1e-4 < error_of(CodecLayers([*modules], torch.bfloat16), modules) < 0.15
