"""Converts stored vectors from half to single precision."""

from __future__ import annotations

import sys

import numpy as np

from pesearch.types import FloatArray, HalfArray


def single_precision(vectors: HalfArray) -> FloatArray:
    """The same values as float32. PyTorch takes a tenth of the time of NumPy, but its import takes a second."""
    torch = sys.modules.get("torch")
    if torch is None:
        return vectors.astype(np.float32)
    converted: FloatArray = torch.from_numpy(vectors).float().numpy()
    return converted
