"""Stage: the encoder of the audio codec, which turns a waveform into 25 vectors per second.

The real models use that of a trained DAC-VAE. This one learns to predict the log-mel spectrum of each 40 ms, and the
energies of each 10 ms in it, from the waveform.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from training.loop import Means, load_weights, save_weights, train
from training.pool import CLIP_SAMPLES, Pool
from training.sounds import SAMPLE_RATE

Floats = NDArray[np.float32]

HOP = 1920
BANDS = 48
WIDE_BANDS = 8
PARTS = 4  # of 10 ms, in a frame of 40 ms
FLOOR = 3e-6  # power added before the logarithm: noise below about -50 dB is silence
CROP_SAMPLES = 24 * HOP
BATCH = 16


class LogSpectrum(nn.Module):
    """Waveform float [b, samples] -> [b, samples / 1920, 80]: 48 log-mel bands of 40 ms, 8 wide bands of 4 x 10 ms."""

    narrow: Tensor
    wide: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("narrow", torch.from_numpy(mel_filters(BANDS, 2048)))
        self.register_buffer("wide", torch.from_numpy(mel_filters(WIDE_BANDS, 512)))
        self.register_buffer("mean", torch.zeros(BANDS + WIDE_BANDS * PARTS))
        self.register_buffer("std", torch.ones(BANDS + WIDE_BANDS * PARTS))

    def forward(self, wave: Tensor) -> Tensor:
        frames = wave.shape[1] // HOP
        fine = _log_power(wave, 2048, HOP, HOP // 2)[:, :frames] @ self.narrow
        coarse = _log_power(wave, 512, HOP // PARTS, HOP // PARTS // 2)[:, : frames * PARTS] @ self.wide
        both = torch.cat([fine, coarse.reshape(len(wave), frames, -1)], dim=2)
        normal: Tensor = ((both + FLOOR).log() - self.mean) / self.std
        return normal

    def fit(self, wave: Tensor) -> None:
        """Fit mean and deviation, so that each value of these waveforms has mean 0 and deviation 1."""
        values = self(wave).flatten(0, 1)
        self.mean, self.std = values.mean(0), values.std(0)


def mel_filters(bands: int, window: int, low_hertz: float = 40.0, high_hertz: float = 14_000.0) -> Floats:
    """Triangular filters, float32 [window / 2 + 1, bands], evenly spaced in mel.

    The mel scale is O'Shaughnessy's: 2595 log10(1 + f / 700).
    """
    low, high = (2595 * math.log10(1 + hertz / 700) for hertz in (low_hertz, high_hertz))
    mel = np.linspace(low, high, bands + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    hertz = np.fft.rfftfreq(window, 1 / SAMPLE_RATE)[:, None]
    rise = (hertz - edges[:-2]) / np.maximum(np.diff(edges)[:-1], SAMPLE_RATE / window)
    fall = (edges[2:] - hertz) / np.maximum(np.diff(edges)[1:], SAMPLE_RATE / window)
    filters: Floats = np.maximum(0, np.minimum(rise, fall)).astype(np.float32)
    return filters


def train_codec(embedder: Any, pool: Pool, work: Path, minutes: float, seed: int) -> None:
    """Train `embedder.dac_encoder` and `embedder.bottleneck`; saved in `work/codec.pt`."""
    rng, device = np.random.default_rng([seed, 1]), next(embedder.parameters()).device
    target = LogSpectrum().to(device)
    target.fit(_crops(pool, rng, 256, device))
    codec = codec_parts(embedder)
    prepare(embedder)
    means = Means("explained")

    def loss() -> Tensor:
        wave = _crops(pool, rng, BATCH, device)
        expected = target(wave)[:, 2:-2]
        predicted = encode(embedder, wave)[:, 2:-2]
        means.add(1 - (predicted - expected).square().mean() / expected.var())
        return nn.functional.smooth_l1_loss(predicted, expected, beta=0.5)

    file = work / "codec.pt"
    if file.exists():
        load_weights(codec, file)
    trained = [p for name, p in codec.named_parameters() if not name.startswith("dac_encoder.block.0.res_unit")]
    train("codec", trained, loss, minutes, 4e-3, lambda: save_weights(codec, file), means)


def copy_codec(embedder: Any, starter: Path, work: Path) -> None:
    """Take the codec of an exported set instead of training one; saved in `work/codec.pt`.

    starter: Folder of pe_core, pe_av and pe_a_frame.
    """
    prefix, codec = "audio_model.audio_encoder.embedder.", codec_parts(embedder)
    weights = {name.removeprefix(prefix): w for name, w in load_file(starter / "pe_av" / "model.safetensors").items()}
    codec.load_state_dict({name: weights[name].float() for name in codec.state_dict()})
    save_weights(codec, work / "codec.pt")


def codec_parts(embedder: Any) -> nn.ModuleDict:
    """The codec's encoder in the embedder of an audio encoder."""
    return nn.ModuleDict({"dac_encoder": embedder.dac_encoder, "bottleneck": embedder.bottleneck})


def prepare(embedder: Any) -> None:
    """Orthogonal weights; the residual units at 48 kHz become the identity, since they would cost the most."""
    for module in [*embedder.dac_encoder.modules(), embedder.bottleneck]:
        if isinstance(module, nn.Conv1d):
            nn.init.orthogonal_(module.weight)
    for unit in full_rate_units(embedder.dac_encoder):
        nn.init.zeros_(unit.conv2.weight)
        nn.init.zeros_(unit.conv2.bias)


def full_rate_units(encoder: Any) -> list[Any]:
    """The residual units at the full sample rate."""
    first = encoder.block[0]
    return [first.res_unit1, first.res_unit2, first.res_unit3]


def encode(embedder: Any, wave: Tensor) -> Tensor:
    """Codec features [b, samples / 1920, 80] of a waveform [b, samples], with gradients and without the identity units.

    Equal to the output of the embedder, because these units are the identity (see `prepare`).
    """
    encoder = embedder.dac_encoder
    first, *others = encoder.block
    hidden = first.conv1(snake(first.snake1, encoder.conv1(wave[:, None])))
    for block in others:
        for unit in (block.res_unit1, block.res_unit2, block.res_unit3):
            hidden = hidden + unit.conv2(snake(unit.snake2, unit.conv1(snake(unit.snake1, hidden))))
        hidden = block.conv1(snake(block.snake1, hidden))
    features: Tensor = embedder.bottleneck(encoder.conv2(snake(encoder.snake1, hidden))).transpose(1, 2)
    return features


def snake(activation: Any, x: Tensor) -> Tensor:
    """x + sin(a x)^2 / a, with sin^2 as a cosine of twice the angle, in a single pass forwards and backwards."""
    result: Tensor = _Snake.apply(x, activation.alpha)  # type: ignore[no-untyped-call]
    return result


class _Snake(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, alpha):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x, alpha)
        return torch.cos(x * (2 * alpha)).sub_(1).div_(-2 * alpha).add_(x)

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        x, alpha = ctx.saved_tensors
        angle = x * (2 * alpha)
        slope = torch.sin(angle)
        bump = torch.cos(angle).sub_(1).div_(-2 * alpha)
        return gradient + gradient * slope, (gradient * (x * slope - bump)).sum((0, 2), keepdim=True) / alpha


def _log_power(wave: Tensor, window: int, hop: int, centre: int) -> Tensor:
    """Power spectra [b, frames, window / 2 + 1] of windows centred at `centre`, `centre + hop`, ..."""
    padded = nn.functional.pad(wave, (window // 2 - centre, window // 2 + hop))
    shape = torch.hann_window(window, device=wave.device)
    spectrum = torch.fft.rfft(padded.unfold(1, window, hop) * shape) / shape.sum()
    power: Tensor = spectrum.abs().square()
    return power


def _crops(pool: Pool, rng: np.random.Generator, count: int, device: torch.device) -> Tensor:
    """Random crops of the pool's sounds: float [count, samples]."""
    rows = rng.choice(pool.rows(), count)
    starts = rng.integers(0, CLIP_SAMPLES - CROP_SAMPLES, count)
    crops = np.stack([pool.audio[row, at : at + CROP_SAMPLES] for row, at in zip(rows, starts, strict=True)])
    return torch.from_numpy(crops.astype(np.float32) / 32768).to(device)
