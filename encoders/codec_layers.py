"""The codec's layers arranged for a CPU: the same function as transformers' modules, in less CPU time.

- Channels are last: oneDNN convolves rows of channels without reordering them before and after each layer.
- The alpha of a snake, x + sin(alpha x)^2 / alpha, is part of the weights around it, which leaves y + sin(y)^2.
- Convolutions of one position are matrix products that add to the residual in place. Their biases are added later, with
  the scaling by the next alpha.
- Blocks run over tiles of their input that fit a core's cache. Tiles overlap by the receptive field of the block.

In bfloat16 only convolutions and matrix products are computed, from float32 residuals and snakes: a sine of a rounded
residual would be far off where the residual is large.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from pesearch.encoders.receptive_field import convolutions_of, reach_of, stride_of

TILE_BYTES = 4 << 20
"""Size of the input of a block in one tile. On a core with 2 MiB of cache, 2 to 8 MiB take the same time."""

MIN_ALPHA = 1e-9
"""Replaces an alpha of zero, by which the weights cannot be divided. The snake is the identity at both."""


class CodecLayers(nn.Module):
    """A sequence of a codec's modules: Conv1d, snakes and encoder blocks."""

    def __init__(self, modules: Sequence[nn.Module], dtype: torch.dtype) -> None:
        """`dtype` is that of the weights, float32 or bfloat16. The modules have float32 weights."""
        super().__init__()
        with torch.no_grad():
            self._layers = [_layer(module, dtype) for module in modules]

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """States float32 [B, channels, positions] before the first module to those after the last."""
        rows = states.transpose(1, 2)
        for layer in self._layers:
            rows = layer(rows)
        return rows.transpose(1, 2)


class Block:
    """An encoder block: three residual units, a snake and a strided convolution."""

    def __init__(self, module: Any, dtype: torch.dtype) -> None:
        convolutions = convolutions_of(module)
        units = (module.res_unit1, module.res_unit2, module.res_unit3)
        self._stride = stride_of(convolutions)
        self._reach = -(-reach_of(convolutions) // self._stride)
        self._tile = max(TILE_BYTES // (4 * module.conv1.in_channels * self._stride), 8 * self._reach)
        self._units = [ResidualUnit(unit, units[:number], dtype) for number, unit in enumerate(units)]
        self._snake = ScaledSnake(module.snake1.alpha, units)
        self._convolution = Convolution(module.conv1, dtype, inputs=self._snake.alpha)

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """[B, positions, channels] to [B, positions / stride, 2 * channels]."""
        count = rows.shape[1] // self._stride
        found = rows.new_empty(rows.shape[0], count, self._convolution.channels)
        for start in range(0, count, self._tile):
            stop = min(start + self._tile, count)
            found[:, start:stop] = self._tile_of(rows, start, stop, count)
        return found

    def _tile_of(self, rows: torch.Tensor, start: int, stop: int, count: int) -> torch.Tensor:
        first, last = max(start - self._reach, 0), min(stop + self._reach, count)
        tile = rows[:, first * self._stride : last * self._stride].clone(memory_format=torch.contiguous_format)
        for unit in self._units:
            unit.add_to(tile)
        return self._convolution(self._snake(tile))[:, start - first : stop - first]


class ResidualUnit:
    """A residual unit, without the bias of its second convolution."""

    def __init__(self, module: Any, before: Sequence[Any], dtype: torch.dtype) -> None:
        """`before` are the modules of the units before it in the block."""
        inner = _alpha(module.snake2.alpha)
        self._snake = ScaledSnake(module.snake1.alpha, before)
        self._first = Convolution(module.conv1, dtype, inputs=self._snake.alpha, outputs=inner)
        self._second = (module.conv2.weight[:, :, 0] / inner).T.to(dtype).contiguous()

    def add_to(self, rows: torch.Tensor) -> None:
        """Add the unit's output to its input [B, positions, channels] in place."""
        inner = _add_wave(self._first(self._snake(rows)))
        if self._second.dtype == rows.dtype:
            rows.flatten(0, 1).addmm_(inner.flatten(0, 1), self._second)
        else:
            rows.add_(inner.to(self._second.dtype) @ self._second)


class ScaledSnake:
    """alpha times the snake of the input plus the biases that the units before it left out."""

    def __init__(self, alpha: torch.Tensor, units: Sequence[Any]) -> None:
        self.alpha = _alpha(alpha)
        self._shift = self.alpha * sum((unit.conv2.bias for unit in units), torch.zeros_like(self.alpha))

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """A new tensor of the same shape."""
        return _add_wave(torch.addcmul(self._shift, rows, self.alpha))


class LoneSnake:
    """A snake outside the blocks."""

    def __init__(self, module: Any) -> None:
        self._scaled = ScaledSnake(module.alpha, ())

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """A new tensor of the same shape."""
        return self._scaled(rows).div_(self._scaled.alpha)


class Convolution:
    """A convolution of rows float32 [B, positions, channels] to such rows, zero-padded as that of `module`."""

    def __init__(
        self,
        module: Any,
        dtype: torch.dtype,
        *,
        inputs: torch.Tensor | None = None,
        outputs: torch.Tensor | None = None,
    ) -> None:
        """The input is `inputs` times that of the module, the output `outputs` times its output, both [channels]."""
        weight, bias = module.weight, module.bias
        if inputs is not None:
            weight = weight / inputs[:, None]
        if outputs is not None:
            weight, bias = weight * outputs[:, None, None], bias * outputs
        self._weight = weight.to(dtype)[:, :, None].contiguous(memory_format=torch.channels_last)
        self._bias = bias.to(dtype)
        self.channels = module.out_channels
        self._stride, self._padding, self._dilation = module.stride[0], int(module.padding[0]), module.dilation[0]

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """As an image of height 1: torch knows the order of channels_last for images only."""
        image = nn.functional.conv2d(
            rows.transpose(1, 2)[:, :, None].to(self._weight.dtype),
            self._weight,
            self._bias,
            (1, self._stride),
            (0, self._padding),
            (1, self._dilation),
        )
        return image[:, :, 0].transpose(1, 2).float()


class SampleConvolution:
    """A convolution of one channel, as a matrix product in float32: oneDNN takes longer."""

    def __init__(self, module: Any) -> None:
        self._weight, self._bias = module.weight[:, 0].T.contiguous(), module.bias
        self._kernel, self._padding = module.kernel_size[0], int(module.padding[0])

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """[B, positions, 1] to [B, positions, channels]."""
        padded = nn.functional.pad(rows[..., 0], (self._padding, self._padding))
        inputs = padded.unfold(1, self._kernel, 1)
        return torch.addmm(self._bias, inputs.flatten(0, 1), self._weight).view(*inputs.shape[:2], -1)


def _layer(module: Any, dtype: torch.dtype) -> Any:
    if isinstance(module, nn.Conv1d):
        return SampleConvolution(module) if module.in_channels == 1 else Convolution(module, dtype)
    return LoneSnake(module) if hasattr(module, "alpha") else Block(module, dtype)


def _alpha(alpha: torch.Tensor) -> torch.Tensor:
    """An alpha [1, channels, 1] as [channels]."""
    channels = alpha.detach().flatten()
    return torch.where(channels.abs() < MIN_ALPHA, MIN_ALPHA, channels)


def _add_wave(rows: torch.Tensor) -> torch.Tensor:
    """y + sin(y)^2, in place."""
    waves = rows.sin()
    return rows.addcmul_(waves, waves)
