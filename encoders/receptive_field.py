"""The receptive field of a chain of convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True, slots=True)
class Convolution:
    """What the receptive field depends on, in positions of the input."""

    kernel: int
    stride: int
    dilation: int
    padding: int


def convolutions_of(module: nn.Module) -> list[Convolution]:
    """The convolutions of a module, in the order of their definition."""
    return [
        Convolution(each.kernel_size[0], each.stride[0], each.dilation[0], int(each.padding[0]))
        for each in module.modules()
        if isinstance(each, nn.Conv1d)
    ]


def stride_of(convolutions: Sequence[Convolution]) -> int:
    """Inputs for each output of the chain."""
    return math.prod(each.stride for each in convolutions)


def reach_of(convolutions: Sequence[Convolution]) -> int:
    """Inputs beyond its own that an output of the chain sees, on the farther side.

    (The shortcuts of residual units see less.)
    """
    first, last = 0, 0
    for each in reversed(convolutions):
        first = first * each.stride - each.padding
        last = last * each.stride - each.padding + (each.kernel - 1) * each.dilation
    return max(-first, last - stride_of(convolutions) + 1)
