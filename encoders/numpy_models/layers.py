"""The layers of the transformers, on float32 arrays [batch, steps, width]."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pesearch.types import FloatArray

BoolArray = npt.NDArray[np.bool_]
Pair = tuple[FloatArray, FloatArray]


def linear(states: FloatArray, weight: FloatArray, bias: FloatArray | None = None) -> FloatArray:
    """`weight` is [width out, width in], as torch stores it."""
    flat: FloatArray = np.matmul(states.reshape(-1, states.shape[-1]), weight.T)
    if bias is not None:
        flat += bias
    projected: FloatArray = flat.reshape(*states.shape[:-1], len(weight))
    return projected


def layer_norm(states: FloatArray, weight: FloatArray, bias: FloatArray | None, epsilon: float) -> FloatArray:
    """Normalises the last axis to mean 0 and variance 1."""
    centred: FloatArray = states - states.mean(axis=-1, keepdims=True)
    centred /= np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(epsilon))
    centred *= weight
    if bias is not None:
        centred += bias
    return centred


def rms_norm(states: FloatArray, weight: FloatArray, epsilon: float) -> FloatArray:
    """Normalises the last axis to mean square 1."""
    size = np.sqrt(np.square(states).mean(axis=-1, keepdims=True) + np.float32(epsilon))
    normalized: FloatArray = states / size * weight
    return normalized


def silu(states: FloatArray) -> FloatArray:
    """x * sigmoid(x)."""
    with np.errstate(over="ignore"):  # exp(-x) of a large negative x is infinite, and the result 0
        active: FloatArray = states / (1 + np.exp(-states))
    return active


def gelu(states: FloatArray) -> FloatArray:
    """x times the normal distribution function, with Abramowitz and Stegun's formula 7.1.26 (error below 1.5e-7)."""
    scaled = np.abs(states) * np.float32(0.5**0.5)
    inverse = 1 / (1 + np.float32(0.3275911) * scaled)
    tail = inverse * np.float32(1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail += np.float32(coefficient)
        tail *= inverse
    tail *= np.exp(-np.square(scaled))
    tail *= np.float32(0.5)
    active: FloatArray = states * np.where(states < 0, tail, 1 - tail)
    return active


def rotation(steps: int, width: int, theta: float) -> Pair:
    """Cosine and sine of the rotary position embedding, [steps, width / 2] each."""
    frequencies = 1 / np.power(np.float32(theta), np.arange(0, width, 2, dtype=np.float32) / np.float32(width))
    angles = np.arange(steps, dtype=np.float32)[:, None] * frequencies
    return np.cos(angles), np.sin(angles)


def rotate_halves(states: FloatArray, angles: Pair) -> FloatArray:
    """Rotates [..., steps, width], each number of the first half with that of the second half."""
    first, second = np.split(states, 2, axis=-1)
    return np.concatenate(_rotate(first, second, *angles), axis=-1)


def rotate_neighbours(states: FloatArray, angles: Pair) -> FloatArray:
    """Rotates [..., steps, width], each number at an even place with the next one."""
    return np.stack(_rotate(states[..., ::2], states[..., 1::2], *angles), axis=-1).reshape(states.shape)


def _rotate(first: FloatArray, second: FloatArray, cosine: FloatArray, sine: FloatArray) -> Pair:
    return first * cosine - second * sine, second * cosine + first * sine


def attention(query: FloatArray, key: FloatArray, value: FloatArray, visible: BoolArray | None = None) -> FloatArray:
    """Scaled dot-product attention of [batch, heads, steps, width]: [batch, steps, heads * width].

    `visible` [steps, steps] says which keys (columns) a query (row) attends to; None: all.
    """
    logits = query @ key.swapaxes(-1, -2)
    logits *= np.float32(query.shape[-1] ** -0.5)
    if visible is not None:
        logits = np.where(visible, logits, np.float32(-np.inf))
    logits -= logits.max(axis=-1, keepdims=True)
    shares = np.exp(logits, out=logits)
    shares /= shares.sum(axis=-1, keepdims=True)
    batch, heads, steps, width = query.shape
    attended: FloatArray = (shares @ value).transpose(0, 2, 1, 3).reshape(batch, steps, heads * width)
    return attended


def split_heads(states: FloatArray, heads: int) -> FloatArray:
    """[batch, steps, heads * width] to [batch, heads, steps, width]."""
    return states.reshape(*states.shape[:2], heads, -1).transpose(0, 2, 1, 3)
