"""The audio codec of PE-AV and PE-A-Frame (a DAC encoder): audio at 48 kHz to features at 25 steps a second.

It takes 93 % of the time of PE-AV's and PE-A-Frame's audio towers, so it runs once over a track, in chunks that overlap
by the receptive field of its convolutions: the features equal a pass over the whole track.

A call on a single window pads with zeros at the cuts, so its features near a cut differ from those of the whole track.
They are recomputed for each cut, so that a window's vectors equal those of such a call. That is cheap: the convolutions
before the last block see a step or two beyond a cut, and only the last block, a tenth of the work, sees far.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import torch
from torch import nn

from pesearch.encoders.codec_layers import CodecLayers
from pesearch.encoders.receptive_field import convolutions_of, reach_of, stride_of
from pesearch.timeline import STEP_SAMPLES

PART_STEPS = 25
"""On a CPU the blocks before the last one process 1 s at a time, in 15 MB. Parts of 4 s took the same time and made the
process 30 MB larger."""


class Codec(nn.Module):
    """The codec of a loaded PE-AV or PE-A-Frame.

    `reach` is the receptive field of the whole codec on one side in steps, `fine_reach` and `coarse_reach` those of the
    blocks before the last one and of the rest. `digest` is a hash of the weights, 16 hexadecimal digits, independent of
    the model they were loaded from and of the precision.
    """

    def __init__(self, embedder: Any, dtype: torch.dtype = torch.float32) -> None:
        """`embedder`: transformers' PeAudioEncoderEmbedder, in float32. `dtype` is that of the weights on a CPU."""
        super().__init__()
        encoder = embedder.dac_encoder
        self._fine: nn.Module = nn.Sequential(encoder.conv1, *encoder.block[:-1])
        self._coarse: nn.Module = nn.Sequential(encoder.block[-1], encoder.snake1, encoder.conv2, embedder.bottleneck)
        self.dim = int(embedder.bottleneck.out_channels)
        fine, coarse = convolutions_of(self._fine), convolutions_of(self._coarse)
        self._positions = stride_of(coarse)
        self.fine_reach = math.ceil(reach_of(fine) / (stride_of(fine) * self._positions))
        self.coarse_reach = math.ceil(reach_of(coarse) / self._positions)
        self.reach = math.ceil(reach_of([*fine, *coarse]) / STEP_SAMPLES)
        self.digest = _digest(self)
        if embedder.bottleneck.weight.is_cuda:
            _fuse_snakes(self)
        else:
            self._fine = CodecLayers([*self._fine.children()], dtype)
            self._coarse = CodecLayers([*self._coarse.children()], dtype)

    @property
    def context_steps(self) -> int:
        """Steps of audio that a chunk needs on both sides."""
        return self.fine_reach + self.coarse_reach

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Features [B, steps, dim] of samples [B, 1, steps * 1920], zero-padded at both ends."""
        return self.late(self.early(samples))

    def early(self, samples: torch.Tensor) -> torch.Tensor:
        """States before the last block, [B, channels, steps * positions], of samples [B, 1, steps * 1920]."""
        steps = samples.shape[-1] // STEP_SAMPLES
        if samples.is_cuda or steps <= PART_STEPS:
            result: torch.Tensor = self._fine(samples)
            return result
        parts = [self._early_part(samples, start, steps) for start in range(0, steps, PART_STEPS)]
        return torch.cat(parts, dim=-1)

    def late(self, states: torch.Tensor) -> torch.Tensor:
        """Features [B, steps, dim] of the states [B, channels, steps * positions] that `early` returns."""
        features: torch.Tensor = self._coarse(states).transpose(1, 2)
        return features

    def after_cuts(self, samples: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        """The first `reach` features [B, reach, dim] of windows that start at the cuts.

        `samples` [B, 1, 2 * fine_reach * 1920] and `states` [B, channels, (reach + coarse_reach) * positions] start at
        the cut; the states are those of the whole track.
        """
        changed = self.fine_reach * self._positions
        cut = torch.cat([self._fine(samples)[..., :changed], states[..., changed:]], dim=-1)
        return self.late(cut)[:, : self.reach]

    def before_cuts(self, samples: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        """The last `reach` features of windows that end at the cuts; the mirror image of `after_cuts`."""
        changed = self.fine_reach * self._positions
        cut = torch.cat([states[..., :-changed], self._fine(samples)[..., -changed:]], dim=-1)
        return self.late(cut)[:, -self.reach :]

    def states_of(self, states: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """The states of the steps [start, stop)."""
        return states[..., start * self._positions : stop * self._positions]

    def _early_part(self, samples: torch.Tensor, start: int, steps: int) -> torch.Tensor:
        stop = min(start + PART_STEPS, steps)
        first, last = max(start - self.fine_reach, 0), min(stop + self.fine_reach, steps)
        states: torch.Tensor = self._fine(samples[..., first * STEP_SAMPLES : last * STEP_SAMPLES])
        return self.states_of(states, start - first, stop - first)


class Snake(nn.Module):
    """x + sin(alpha x)^2 / alpha, as the codec's own module on a GPU, but allocating two tensors instead of five."""

    def __init__(self, alpha: nn.Parameter) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """States of the same shape."""
        waves = torch.mul(states, self.alpha).sin_().square_()
        return torch.addcmul(states, waves, (self.alpha + 1e-9).reciprocal())


def _digest(codec: nn.Module) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for _, weights in sorted(codec.state_dict().items()):
        digest.update(weights.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _fuse_snakes(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(alpha := getattr(child, "alpha", None), nn.Parameter):
            setattr(module, name, Snake(alpha))
        else:
            _fuse_snakes(child)
