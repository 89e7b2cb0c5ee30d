"""Tone mapping of HDR pictures (PQ and HLG in BT.2020) to SDR, as one table of colours for FFmpeg's `lut3d` filter.

FFmpeg's own `tonemap` needs the filter `zscale`, which many builds lack (Homebrew's), and is slower by far.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pesearch.temporary_folder import TemporaryFolder

Values = npt.NDArray[np.float64]

_WHITE_NITS = 140.0
"""Brightness in cd/m2 that becomes the white of SDR: the geometric mean of 100, the white of SDR that most graded films
keep, and the 203 of ITU-R BT.2408."""

_PEAK_NITS = 1000.0
"""The brightest that is distinguished, and the display that HLG is made for (BT.2100)."""

_KNEE = 0.7
"""Up to this part of white the brightness is kept; from there to the peak it is compressed."""

_SIDE = 33
"""Colours of the table along each axis, as in cinema's tables. FFmpeg interpolates between them."""

_TO_BT709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
"""Linear BT.2020 to linear BT.709 (ITU-R BT.2087)."""

_BT2020_LUMA = np.array([0.2627, 0.6780, 0.0593])


def sdr(transfer: str, signal: Values) -> Values:
    """Signal values in [0, 1], float64 [..., 3] of RGB in BT.2020, as SDR signal values of BT.709."""
    light = HDR_TRANSFERS[transfer](signal) / _WHITE_NITS
    brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
    compressed = np.clip(light * (_compressed(brightest) / brightest) @ _TO_BT709.T, 0.0, 1.0)
    signal_709: Values = np.where(compressed <= 0.0031308, 12.92 * compressed, 1.055 * compressed ** (1 / 2.4) - 0.055)
    return signal_709  # by the curve of sRGB


def _compressed(light: Values) -> Values:
    """Brightness in whites, to at most 1: a curve whose slope is 1 at the knee and that reaches 1 at the peak."""
    room, peak = 1.0 - _KNEE, _PEAK_NITS / _WHITE_NITS
    over = (np.clip(light, _KNEE, peak) - _KNEE) / room
    whole = (peak - _KNEE) / room
    rolled = over * (1.0 + over / whole**2) / (1.0 + over)  # Reinhard's curve with a white point
    mapped: Values = np.where(light <= _KNEE, light, _KNEE + room * np.minimum(rolled, 1.0))
    return mapped


def _pq_nits(signal: Values) -> Values:
    """SMPTE ST 2084: signal to cd/m2."""
    root = signal ** (1 / 78.84375)
    nits: Values = 10_000.0 * (np.maximum(root - 0.8359375, 0.0) / (18.8515625 - 18.6875 * root)) ** (
        1 / 0.1593017578125
    )
    return nits


def _hlg_nits(signal: Values) -> Values:
    """ITU-R BT.2100 HLG: signal to cd/m2 of a display of 1000 cd/m2, whose system gamma is 1.2."""
    scene = np.where(signal <= 0.5, signal**2 / 3.0, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12.0)
    luma = np.maximum((scene @ _BT2020_LUMA)[..., None], 1e-9)
    nits: Values = _PEAK_NITS * luma**0.2 * scene
    return nits


HDR_TRANSFERS: dict[str, Callable[[Values], Values]] = {"smpte2084": _pq_nits, "arib-std-b67": _hlg_nits}
"""FFmpeg's names of the transfer functions, and how they give light in cd/m2."""


@cache
def table_file(transfer: str) -> Path:
    """The table for a transfer function as a `.cube` file, which exists until this process ends."""
    axis = np.linspace(0.0, 1.0, _SIDE)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")  # red changes fastest
    table = sdr(transfer, np.stack([red, green, blue], axis=-1)).reshape(-1, 3)
    folder = TemporaryFolder()
    atexit.register(folder.cleanup)
    path = Path(folder.name) / f"{transfer}.cube"
    np.savetxt(path, table, fmt="%.5f", header=f"LUT_3D_SIZE {_SIDE}", comments="")
    return path
